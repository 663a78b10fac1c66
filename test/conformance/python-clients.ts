import { cacheFolder } from '../../system/cache.ts';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { makePythonPackages } from '../helpers/python-packages.ts';
import type { ServingAccess } from './conformance-target.ts';

const LIMIT_SECONDS = 120;

/** Makes a virtualenv with the clients, once, and returns the path of its Python. */
export function makePythonClients(): Promise<string> {
  return makePythonPackages({
    name: 'databricks-clients-1',
    packages: ['databricks-sdk==0.156.0', 'mlflow-skinny==3.17.2', 'pandas'],
    imports: 'databricks.sdk, mlflow.deployments, pandas',
  });
}

/** Runs a client script with only the host and the token, and parses the JSON that it prints. */
export async function runPythonClient(python: string, script: string, { host, token }: ServingAccess) {
  const noProxy = new URL(host).hostname;
  const own = { DATABRICKS_HOST: host, DATABRICKS_TOKEN: token, HOME: cacheFolder('test') };
  const env = makeChildEnvironment({ ...own, NO_PROXY: noProxy, no_proxy: noProxy });
  const { code, stdout, stderr } = await runProcess(python, ['-c', script], { env, limitSeconds: LIMIT_SECONDS });
  if (code !== 0) throw new Error(`The client ended with ${code}\n${stderr}`);
  return { said: JSON.parse(stdout) as unknown, stderr };
}
