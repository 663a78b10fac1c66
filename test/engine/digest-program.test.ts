import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { digestProgram, listProgram } from '../../engine/digest-program.ts';
import { codePath } from '../../system/code.ts';

test('the program is what infra/ imports, however it does, and the packages', async () => {
  const files = await listProgram();
  expect([...files.keys()]).toEqual(
    expect.arrayContaining([
      'infra/index.ts',
      'infra/platform/deploy-platform.ts', // loaded when it is needed
      'infra/targets/kubernetes/gate.ts',
      'schemas/endpoint/endpoint.ts',
      'kubernetes/prove-revision.ts',
      'package-lock.json',
    ]),
  );
  expect([...files.keys()].filter((file) => /^(action|cli|review|test)\//.test(file))).toEqual([]);
  expect(files.get('infra/index.ts')).toBe(await readFile(codePath('infra/index.ts'), 'utf8'));
  expect(await digestProgram()).toMatch(/^[0-9a-f]{64}$/);
});
