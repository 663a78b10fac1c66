import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runModelProgram } from '../../../validation/proof/run-model-program.ts';
import { FIXTURES, modelPython } from '../../runtime/start-server.ts';

test('all programs that run a model have the same hashes of text, or those of the endpoint', async () => {
  const hashes = [await printHash(), await printHash(), await printHash({ PYTHONHASHSEED: '7' })];
  expect(hashes[0]).toMatch(/^-?\d+$/);
  expect(hashes[1]).toBe(hashes[0]);
  expect(hashes[2]).toBe(await printHash({ PYTHONHASHSEED: '7' }));
  expect(hashes[2]).not.toBe(hashes[0]);
});

async function printHash(environmentVars: Readonly<Record<string, string>> = {}): Promise<string> {
  const { stdout } = await runModelProgram({
    model: join(FIXTURES, 'models', 'm_obedient'),
    interpreter: { python: await modelPython(), pythonVersion: '3.11' },
    args: ['-c', 'print(hash("text"))'],
    environmentVars,
    limits: { seconds: 60, outputBytes: 1000, processMemoryBytes: undefined, memoryBytes: undefined },
    sandbox: undefined,
  });
  return stdout.trim();
}
