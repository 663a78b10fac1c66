import { describe, expect, it } from 'vitest';
import { type Lock, parseLock, renderLock } from '../../schemas/lock/lock.ts';

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
