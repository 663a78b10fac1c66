import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ensureFrontVirtualenv } from '../../python/ensure-front-virtualenv.ts';

test('ensureFrontVirtualenv() holds what the front needs and no MLflow', async () => {
  const { python } = await ensureFrontVirtualenv();
  const code = 'import uvicorn, httptools, importlib.util as u; print([u.find_spec(n) for n in ("mlflow", "numpy")])';
  expect(execFileSync(python, ['-c', code], { encoding: 'utf8' })).toBe('[None, None]\n');
});
