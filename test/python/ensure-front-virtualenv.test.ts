import { expect, test } from 'vitest';
import { parseLockedRequirements } from '../../python/ensure-front-virtualenv.ts';
import { normalizePackageName } from '../../python/normalize-package-name.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

test('parseLockedRequirements() reads what uv pip compile writes, sorted, with every hash', () => {
  const text = `# made by uv\nUvicorn==0.30.1 \\\n    --hash=sha256:${B} \\\n    --hash=sha256:${A}\n    # via -r x\nh11==0.14.0 --hash=sha256:${A}\n`;
  expect(parseLockedRequirements(text)).toEqual([
    { name: 'h11', version: '0.14.0', hashes: [`sha256:${A}`] },
    { name: 'uvicorn', version: '0.30.1', hashes: [`sha256:${A}`, `sha256:${B}`] },
  ]);
});

test('parseLockedRequirements() refuses a line without an exact version', () => {
  expect(() => parseLockedRequirements('uvicorn>=0.30')).toThrow('Cannot read the locked requirement "uvicorn>=0.30"');
});

test('normalizePackageName() follows PEP 503', () => {
  expect(normalizePackageName('Scikit_Learn.x')).toBe('scikit-learn-x');
});
