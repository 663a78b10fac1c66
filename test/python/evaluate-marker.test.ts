import { expect, test } from 'vitest';
import { evaluateMarker, isForServers } from '../../python/evaluate-marker.ts';

test.each([
  ['sys_platform == "win32"', false],
  ["sys_platform != 'win32'", true],
  ['platform_system=="Darwin" and platform_machine=="arm64"', false],
  ['platform_machine == "x86_64"', undefined],
  ['platform_machine != "arm64"', true],
  ['os_name == "nt" or python_version < "3.9"', false],
  ['python_version >= "3.9" and python_version < "3.12"', true],
  ['"3.12" > python_version', true],
  ['python_version in "3.9, 3.11"', true],
  ['python_version not in "3.9 3.11"', false],
  ['python_version == "3.11.*"', true],
  ['python_full_version >= "3.9.1"', true],
  ['python_full_version >= "3.11.4"', undefined],
  ['(sys.platform == "win32" or os.name == "nt") and extra == "gpu"', false],
  ['implementation_name == "pypy"', false],
  ['platform_python_implementation != "PyPy"', true],
  ['platform_release >= "5"', undefined],
  ['sys_platform == "linux" or platform_release >= "5"', true],
  ['sys_platform == "win32" and platform_release >= "5"', false],
  ['"linux" in sys_platform', undefined],
  ['sys_platform ==', undefined],
  ['(sys_platform == "win32"', undefined],
  ['sys_platform == "win32" ; x', undefined],
  ['', undefined],
  ['constructor in "linux"', undefined],
  ['"x" != toString', undefined],
  ['__proto__ != "x"', undefined],
])('evaluateMarker() of %j is %j on a server with Python 3.11', (marker, truth) => {
  expect(evaluateMarker(marker, '3.11.7')).toBe(truth);
});

test('isForServers() leaves out only what is certainly for something else', () => {
  expect(isForServers({ marker: undefined }, undefined)).toBe(true);
  expect(isForServers({ marker: 'python_version < "3.9"' }, undefined)).toBe(true);
  expect(isForServers({ marker: 'sys_platform == "win32"' }, undefined)).toBe(false);
});
