import { describe, expect, it } from 'vitest';
import { findLockedVirtualenv } from '../../../schemas/lock/find-locked-virtualenv.ts';
import { type Lock, parseLock, renderLock } from '../../../schemas/lock/lock.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const LOCK: Lock = {
  lock_version: 1,
  endpoint: 'iris',
  entities: {
    'iris-1': {
      model: { name: 'iris', version: '1', digest: DIGEST, mlflow_version: '3.17.2', python_version: '3.11.7' },
      requirements: ['numpy==2.4.6'],
      virtualenv: 'python3.11-0123456789',
      signature: { inputs: '[{"type": "double", "name": "yes: no #1"}]', outputs: '[]', params: null },
    },
  },
  virtualenvs: {
    'python3.11-0123456789': {
      python: '3.11',
      platform: 'x86_64-manylinux_2_28',
      packages: [{ name: 'numpy', version: '2.4.6', hashes: [DIGEST] }],
    },
  },
};

describe('renderLock()', () => {
  it('writes what parseLock() reads, always as the same text', () => {
    const text = renderLock(LOCK);
    expect(parseLock(text, 'endpoints/iris.lock')).toEqual({ lock: LOCK, diagnostics: [] });
    expect(renderLock(structuredClone(LOCK))).toBe(text);
    expect(text.split('\n')[0]).toContain('npx davit lock iris');
  });
});

describe('findLockedVirtualenv()', () => {
  it('finds the virtualenv of an entity, and none of a name that the lock does not have', () => {
    expect(findLockedVirtualenv(LOCK, 'iris-1')).toBe(LOCK.virtualenvs['python3.11-0123456789']);
    for (const name of ['iris-2', '__proto__', 'constructor']) expect(findLockedVirtualenv(LOCK, name)).toBeUndefined();
  });
});

describe('parseLock()', () => {
  it.each([
    ['a merge conflict', '<<<<<<< ours\n', 1],
    ['a lock of another version', renderLock(LOCK).replace('lock_version: 1', 'lock_version: 2'), 2],
    ['a hash that is none', renderLock(LOCK).replaceAll(DIGEST, 'sha256:x'), 9],
  ])('refuses %s on its line, and says how to make it again', (_what, text, line) => {
    const { lock, diagnostics } = parseLock(text, 'endpoints/iris.lock');
    expect(lock).toBeUndefined();
    expect(diagnostics[0]).toMatchObject({
      code: 'lock-invalid',
      file: 'endpoints/iris.lock',
      line,
      hint: 'Make the lock again: npx davit lock',
    });
  });
});

/** Replaces one value of the lock, wherever it is. */
function withValue(path: readonly (string | number)[], value: unknown): string {
  const lock = structuredClone(LOCK) as unknown;
  const place = path
    .slice(0, -1)
    .reduce<Record<string | number, unknown>>(
      (at, key) => at[key] as Record<string | number, unknown>,
      lock as Record<string, unknown>,
    );
  place[path.at(-1) ?? ''] = value;
  return renderLock(lock as Lock);
}

const PACKAGE = ['virtualenvs', 'python3.11-0123456789', 'packages', 0];
const MODEL = ['entities', 'iris-1', 'model'];

describe('a lock from a stranger', () => {
  it.each<readonly [readonly (string | number)[], unknown]>([
    [[...PACKAGE, 'name'], 'numpy --find-links http://192.0.2.1'],
    [[...PACKAGE, 'name'], 'NumPy'],
    [[...PACKAGE, 'name'], '-r other.txt'],
    [[...PACKAGE, 'version'], '2.4.6\n--no-binary :all:\nevil==1'],
    [[...PACKAGE, 'version'], '2.4.6 --no-binary numpy'],
    [[...PACKAGE, 'version'], '2.4.6\u2028evil'],
    [[...PACKAGE, 'version'], '2.*'],
    [[...PACKAGE, 'version'], '${SECRET}'],
    [[...PACKAGE, 'hashes'], []],
    [[...PACKAGE, 'hashes'], [`${DIGEST} --no-binary=:all:`]],
    [
      PACKAGE,
      { name: 'a', version: '1', source: 'a-1-py3-none-any.whl', hashes: [DIGEST], built: { from: DIGEST, with: [] } },
    ],
    [[...PACKAGE, 'source'], 'http://192.0.2.1/a-1-py3-none-any.whl'],
    [[...PACKAGE, 'source'], 'https://me:secret@192.0.2.1/a-1-py3-none-any.whl'],
    [[...PACKAGE, 'source'], 'https://192.0.2.1/${SECRET}/a-1-py3-none-any.whl'],
    [[...PACKAGE, 'source'], 'https://192.0.2.1/a-1.tar.gz'],
    [[...PACKAGE, 'source'], 'git+https://192.0.2.1/a'],
    [[...PACKAGE, 'source'], 'file:///etc/a-1-py3-none-any.whl'],
    [[...PACKAGE, 'source'], '../outside/a-1-py3-none-any.whl'],
    [[...PACKAGE, 'source'], '/etc/a-1-py3-none-any.whl'],
    [[...PACKAGE, 'source'], 'code/a-1-py3-none-any.whl\n--no-binary :all:'],
    [[...PACKAGE, 'source'], 'code'],
    [['virtualenvs', 'python3.11-0123456789', 'python'], '3.11 --index http://192.0.2.1'],
    [['virtualenvs', 'python3.11-0123456789', 'platform'], '--index=http://192.0.2.1'],
    [['virtualenvs', '../../outside'], LOCK.virtualenvs['python3.11-0123456789']],
    [[...MODEL, 'python_version'], '3.11.7\n'],
    [[...MODEL, 'name'], 'iris\u001b[2J'],
    [[...MODEL, 'uri'], 'models:/iris/1\nRUN curl'],
    [[...MODEL, 'resolved'], { from: '@champion', version: '3/../../other/1', at: '2026-11-30T04:20:11Z' }],
    [['entities', 'iris-1', 'requirements'], ['numpy==1\n--no-binary :all:']],
    [['endpoint'], '../iris'],
  ])('cannot say %j: %j', (path, value) => {
    const { lock, diagnostics } = parseLock(withValue(path, value), 'endpoints/iris.lock');
    expect(lock).toBeUndefined();
    expect(diagnostics.map((d) => d.code)).toEqual(['lock-invalid']);
  });

  it.each(['1.0', '2!1.0rc1.post2.dev3', '1.0+cu118', '2024.1', '0.4.0a1', '1.0-1', '1.0.dev0'])(
    'may say the version %s',
    (version) => {
      expect(parseLock(withValue([...PACKAGE, 'version'], version), 'iris.lock').diagnostics).toEqual([]);
    },
  );

  it.each([
    'code/a-1-py3-none-any.whl',
    'https://example.com/x/a-1%2Bcpu-py3-none-any.whl#sha256=0a',
    'a-1-py3-none-any.whl',
  ])('may say the source %s', (source) => {
    expect(parseLock(withValue([...PACKAGE, 'source'], source), 'iris.lock').diagnostics).toEqual([]);
  });
});
