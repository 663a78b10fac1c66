import { expect, test } from 'vitest';
import { chooseRegistry } from '../../../validation/model/choose-registry.ts';
import { makeDownloadEnvironment } from '../../../validation/model/download-environment.ts';

const MLFLOW = 'https://mlflow.acme.example';
const environment = (...uris: readonly string[]) =>
  uris.map((uri, i) => ({ uri, file: `environments/${i === 0 ? 'production' : 'staging'}.yaml` }));

function choose(name: string, uris: readonly string[], variables: NodeJS.ProcessEnv, allowed: readonly string[] = []) {
  const found = chooseRegistry(name, { environments: environment(...uris), allowed, variables });
  if (found === undefined || 'why' in found) return found?.why;
  return [found.kind, found.tracking, found.registry];
}

test.each([
  ['nothing', 'iris', [], {}, undefined],
  ['a server', 'iris', [], { MLFLOW_TRACKING_URI: MLFLOW }, ['tracking', MLFLOW, MLFLOW]],
  ['a registry', 'iris', [], { MLFLOW_TRACKING_URI: MLFLOW, MLFLOW_REGISTRY_URI: 'databricks' }, ['tracking', MLFLOW, 'databricks']], // prettier-ignore
  ['the host of Unity Catalog', 'a.b.iris', [], { MLFLOW_REGISTRY_URI: 'uc:h:8080' }, ['tracking', 'https://h:8080', 'uc:https://h:8080']], // prettier-ignore
  ['DATABRICKS_HOST', 'a.b.iris', [], { DATABRICKS_HOST: 'h' }, ['tracking', 'databricks', 'databricks-uc']],
  ['DATABRICKS_HOST', 'iris', [], { DATABRICKS_HOST: 'h' }, undefined],
  [
    'three parts in the workspace registry',
    'a.b.iris',
    ['databricks'],
    {},
    ['tracking', 'databricks', 'databricks-uc'],
  ],
  ['the same address', 'iris', [`${MLFLOW}:443/`], { MLFLOW_TRACKING_URI: `https://u:p@mlflow.acme.example/` }, ['tracking', 'https://u:p@mlflow.acme.example/', 'https://u:p@mlflow.acme.example/']], // prettier-ignore
  ['equal environments', 'iris', ['databricks', 'databricks'], {}, ['tracking', 'databricks', 'databricks']],
] as const)('chooseRegistry() takes %s for %s', (_what, name, uris, variables, wanted) => {
  expect(choose(name, uris, variables)).toEqual(wanted);
});

test.each([MLFLOW, 'uc:mlflow.acme.example', 'databricks://other', 'databricks-uc://other'])(
  'a file cannot decide that %s gets a credential',
  (uri) => {
    const refused = /^the registry .* of environments\/production.yaml is not allowed/;
    for (const tracking of ['https://elsewhere.example', 'https://mlflow.acme.example.evil.example', 'http://mlflow.acme.example'])
      expect(choose('a.b.iris', [uri], { MLFLOW_TRACKING_URI: tracking, MLFLOW_TRACKING_TOKEN: 'secret' })).toMatch(refused); // prettier-ignore
  },
);

test('a registry that DAVIT_MODEL_SOURCES lists is queried without credentials', () => {
  const variables = { MLFLOW_TRACKING_URI: 'https://elsewhere.example', MLFLOW_TRACKING_TOKEN: 'secret', HOME: '/h' };
  const choice = { environments: environment(MLFLOW), allowed: [MLFLOW], variables };
  const connection = chooseRegistry('iris', choice);
  if (connection === undefined || 'why' in connection) throw new Error(JSON.stringify(connection));
  const given = makeDownloadEnvironment('tracking', 'models:/iris/1', { home: '/empty', connection, variables });
  expect(given).toMatchObject({ MLFLOW_TRACKING_URI: MLFLOW, MLFLOW_REGISTRY_URI: MLFLOW, HOME: '/empty' });
  // Nor the role of the machine.
  expect(given).toHaveProperty('AWS_EC2_METADATA_DISABLED', 'true');
  expect(JSON.stringify(given)).not.toMatch(/secret|elsewhere/);
});

test('the password of an MLflow server is not given to Databricks, and the other way round', () => {
  const variables = { MLFLOW_TRACKING_URI: MLFLOW, MLFLOW_TRACKING_PASSWORD: 'secret-1', DATABRICKS_TOKEN: 'secret-2' };
  const secrets = (uris: readonly string[]) => {
    const connection = chooseRegistry('iris', { environments: environment(...uris), allowed: [], variables });
    if (connection === undefined || 'why' in connection) throw new Error(JSON.stringify(connection));
    return JSON.stringify(makeDownloadEnvironment('tracking', 'models:/iris/1', { home: '/e', connection, variables })).match(/secret-\d/g); // prettier-ignore
  };
  expect(secrets([])).toEqual(['secret-1']);
  expect(secrets(['databricks'])).toEqual(['secret-2']);
});

test('chooseRegistry() explains names that the registry cannot have, and several registries', () => {
  expect(choose('iris', ['databricks-uc'], {})).toBe(
    'a name in Unity Catalog has three parts, expected CATALOG.SCHEMA.iris',
  );
  expect(choose('iris', ['databricks', MLFLOW], {})).toBe(
    `environments name several registries (databricks in environments/production.yaml, ${MLFLOW} in environments/staging.yaml), expected one`,
  );
});
