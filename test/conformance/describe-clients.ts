import { beforeAll, describe, expect, it } from 'vitest';
import { ENTITY, IRIS } from './endpoint-files.ts';
import type { SuiteContext } from './suite-context.ts';
import { makePythonClients, runPythonClient } from './python-clients.ts';

const SDK = `
import json
from databricks.sdk import WorkspaceClient
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
    "list": [e.name for e in w.serving_endpoints.list() if e.name == "iris"],
    "ready": ready.state.ready.value, "update": ready.state.config_update.value,
    "entity": ready.config.served_entities[0].as_dict(), "routes": [r.as_dict() for r in ready.config.traffic_config.routes],
    "logs": "ready" in w.serving_endpoints.logs("iris", "iris-1").logs,
    "build": w.serving_endpoints.build_logs("iris", "iris-1").logs,
    "metrics": "request_count_total" in w.serving_endpoints.export_metrics("iris").contents.read().decode(),
    "paths": list(json.load(w.serving_endpoints.get_open_api("iris").contents)["paths"]),
    "errors": errors}))
`;

const MLFLOW = `
import json
from mlflow.deployments import get_deploy_client
c = get_deploy_client("databricks")
columns = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
answer = c.predict(endpoint="iris", inputs={"dataframe_split": {"columns": columns, "data": [[6.0, 2.2, 5.0, 1.5]]}})
print(json.dumps({"answer": answer["predictions"], "list": "iris" in [e["name"] for e in c.list_endpoints()], "state": c.get_endpoint("iris")["state"]}))
`;

/** Runs clients that users already have. Only their host setting is changed. */
export function describeClients({ given, capabilities }: SuiteContext): void {
  describe('existing clients', () => {
    let python: string;
    beforeAll(async () => void (python = await makePythonClients()));

    it('databricks-sdk queries, waits, lists, reads logs, metrics and OpenAPI, and gets its own exceptions', async () => {
      const { said, stderr } = await runPythonClient(python, SDK, given());
      expect(stderr).toBe('');
      expect(said).toEqual({
        predictions: [0],
        served: ENTITY.iris,
        list: [IRIS],
        ready: 'READY',
        update: 'NOT_UPDATING',
        entity: {
          name: ENTITY.iris,
          entity_name: 'iris',
          entity_version: '1',
          workload_type: 'CPU',
          min_provisioned_concurrency: 2,
          max_provisioned_concurrency: 2,
          scale_to_zero_enabled: false,
          state: { deployment: 'DEPLOYMENT_READY', deployment_state_message: '' },
        },
        routes: [{ served_model_name: ENTITY.iris, served_entity_name: ENTITY.iris, traffic_percentage: 100 }],
        logs: true,
        build: expect.stringContaining(capabilities.buildLog) as string,
        metrics: true,
        paths: [`/served-models/${ENTITY.iris}/invocations`, '/invocations'],
        errors: [
          ['ResourceDoesNotExist', 'Cannot find the serving endpoint "none": no endpoint here has that name'],
          [expect.any(String), expect.stringContaining('expected a pull request that changes endpoints/iris.yaml')],
          ['ResourceDoesNotExist', expect.any(String)],
          ['Unauthenticated', expect.any(String)],
        ],
      });
    });

    it('mlflow.deployments predicts, lists and reads the state', async () => {
      const { said } = await runPythonClient(python, MLFLOW, given());
      expect(said).toEqual({
        answer: [expect.any(Number)],
        list: true,
        state: { ready: 'READY', config_update: 'NOT_UPDATING' },
      });
    });
  });
}
