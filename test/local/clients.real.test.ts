import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlClient } from '../../local/control-client.ts';
import { connectSupervisor, ensureSupervisor, waitForEnd } from '../../local/start-supervisor.ts';
import { findPython } from '../../python/find-python.ts';
import { findUv } from '../../python/find-uv.ts';
import { cacheFolder } from '../../system/cache.ts';
import { childEnvironment, runProcess } from '../../system/run-process.ts';
import { makeProject, makePut, makeRoute, type Project } from './project.ts';

/** A virtualenv that no lock describes: the clients are other people's, as they are today. */
async function makeClients(): Promise<string> {
  const folder = cacheFolder('test', 'databricks-clients-1');
  const python = join(folder, 'bin', 'python');
  const uv = await findUv();
  const base = await findPython('3.11');
  await mkdir(cacheFolder('test'), { recursive: true });
  const packages = ['databricks-sdk==0.156.0', 'mlflow-skinny==3.17.2', 'pandas'];
  const made = await runProcess(python, ['-c', 'import databricks.sdk, mlflow.deployments, pandas']).catch(
    () => undefined,
  );
  if (made?.code === 0) return python;
  await runProcess(uv, ['venv', '--clear', '--python', base!.executable, folder]);
  const installed = await runProcess(uv, ['pip', 'install', '--python', python, ...packages]);
  expect(installed.stderr).toContain('databricks-sdk');
  return python;
}

const SDK = `
import json
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, Unauthenticated
from databricks.sdk.service.serving import DataframeSplitInput
w = WorkspaceClient()
split = DataframeSplitInput(columns=["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"], data=[[5.1, 3.5, 1.4, 0.2]])
answer = w.serving_endpoints.query("iris", dataframe_split=split)
ready = w.serving_endpoints.wait_get_serving_endpoint_not_updating("iris")
errors = []
for call in (lambda: w.serving_endpoints.get("none"), lambda: w.serving_endpoints.delete("iris"), lambda: w.serving_endpoints.query("none", inputs=[1])):
    try:
        call()
        errors.append(None)
    except Exception as e:
        errors.append([type(e).__name__, str(e)])
try:
    WorkspaceClient(token="wrong").serving_endpoints.list()
except Exception as e:
    errors.append([type(e).__name__, str(e)])
print(json.dumps({
    "predictions": answer.predictions, "served": answer.served_model_name,
    "list": [e.name for e in w.serving_endpoints.list()],
    "ready": ready.state.ready.value, "update": ready.state.config_update.value,
    "entity": ready.config.served_entities[0].as_dict(), "routes": [r.as_dict() for r in ready.config.traffic_config.routes],
    "logs": "ready" in w.serving_endpoints.logs("iris", "iris-1").logs,
    "build": "Loaded" in w.serving_endpoints.build_logs("iris", "iris-1").logs,
    "metrics": "request_count_total" in w.serving_endpoints.export_metrics("iris").contents.read().decode(),
    "errors": errors}))
`;

const MLFLOW = `
import json
from mlflow.deployments import get_deploy_client
c = get_deploy_client("databricks")
columns = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
answer = c.predict(endpoint="iris", inputs={"dataframe_split": {"columns": columns, "data": [[6.0, 2.2, 5.0, 1.5]]}})
print(json.dumps({"answer": answer["predictions"], "list": [e["name"] for e in c.list_endpoints()], "state": c.get_endpoint("iris")["state"]}))
`;

describe('existing clients', () => {
  let project: Project;
  let client: ControlClient;
  let python: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    project = await makeProject();
    [client, python] = await Promise.all([ensureSupervisor(project.root, 'local'), makeClients()]);
    const put = await makePut(project, { endpoint: 'iris', entity: 'iris-1', model: 'iris/1' });
    await client.putRevision(put);
    await client.putRoute(makeRoute(put, { description: 'Flowers', tags: [{ key: 'team', value: 'x' }] }));
    const { gateway } = await client.status();
    const hosts = { DATABRICKS_HOST: gateway.url!, DATABRICKS_TOKEN: await client.makeToken() };
    env = childEnvironment({ ...hosts, HOME: project.root, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' });
  });

  afterAll(async () => {
    const running = await connectSupervisor(project.root, 'local');
    const status = await running?.status();
    await running?.stop();
    if (status) await waitForEnd(status);
    await project.remove();
  });

  it('databricks-sdk queries, waits, lists, reads logs and metrics, and gets its own exceptions', async () => {
    const ran = await runProcess(python, ['-c', SDK], { env, limitSeconds: 120 });
    expect(ran.stderr).toBe('');
    expect(JSON.parse(ran.stdout)).toEqual({
      predictions: [0],
      served: 'iris-1',
      list: ['iris'],
      ready: 'READY',
      update: 'NOT_UPDATING',
      entity: {
        name: 'iris-1',
        entity_name: 'iris/1',
        entity_version: '1',
        workload_type: 'CPU',
        min_provisioned_concurrency: 2,
        max_provisioned_concurrency: 2,
        scale_to_zero_enabled: false,
        state: { deployment: 'DEPLOYMENT_READY', deployment_state_message: '' },
      },
      routes: [{ served_model_name: 'iris-1', served_entity_name: 'iris-1', traffic_percentage: 100 }],
      logs: true,
      build: true,
      metrics: true,
      errors: [
        ['ResourceDoesNotExist', 'Cannot find the serving endpoint "none": there is none of that name here'],
        [expect.any(String), expect.stringContaining('expected a pull request that changes endpoints/iris.yaml')],
        ['ResourceDoesNotExist', expect.any(String)],
        ['Unauthenticated', expect.any(String)],
      ],
    });
  });

  it('mlflow.deployments predicts, lists and reads the state', async () => {
    const ran = await runProcess(python, ['-c', MLFLOW], { env, limitSeconds: 120 });
    expect(ran).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.stdout)).toEqual({
      answer: [expect.any(Number)],
      list: ['iris'],
      state: { ready: 'READY', config_update: 'NOT_UPDATING' },
    });
  });
});
