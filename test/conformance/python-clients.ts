import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findPython } from '../../python/find-python.ts';
import { findUv } from '../../python/find-uv.ts';
import { cacheFolder } from '../../system/cache.ts';
import { childEnvironment, runProcess } from '../../system/run-process.ts';
import type { Given } from './given.ts';

/** As they are today: the clients are other people's, so no lock describes them. */
const PACKAGES = ['databricks-sdk==0.156.0', 'mlflow-skinny==3.17.2', 'pandas'];
const LIMIT_SECONDS = 120;

/** Makes a virtualenv with the clients, once, and gives its Python. */
export async function makePythonClients(): Promise<string> {
  const folder = cacheFolder('test', 'databricks-clients-1');
  const python = join(folder, 'bin', 'python');
  const probe = ['-c', 'import databricks.sdk, mlflow.deployments, pandas'];
  if ((await runProcess(python, probe).catch(() => undefined))?.code === 0) return python;
  const [uv, base] = await Promise.all([findUv(), findPython('3.11')]);
  await mkdir(cacheFolder('test'), { recursive: true });
  await runProcess(uv, ['venv', '--clear', '--python', base?.executable ?? 'python3.11', folder]);
  const { code, stderr } = await runProcess(uv, ['pip', 'install', '--python', python, ...PACKAGES]);
  if (code !== 0) throw new Error(`Cannot install ${PACKAGES.join(', ')}\n${stderr}`);
  return python;
}

/** Runs a script of a client that knows nothing but the host and the token, and reads the JSON that it prints. */
export async function runPythonClient(python: string, script: string, { host, token }: Given) {
  const noProxy = new URL(host).hostname;
  const own = { DATABRICKS_HOST: host, DATABRICKS_TOKEN: token, HOME: cacheFolder('test') };
  const env = childEnvironment({ ...own, NO_PROXY: noProxy, no_proxy: noProxy });
  const { code, stdout, stderr } = await runProcess(python, ['-c', script], { env, limitSeconds: LIMIT_SECONDS });
  if (code !== 0) throw new Error(`The client ended with ${code}\n${stderr}`);
  return { said: JSON.parse(stdout) as unknown, stderr };
}
