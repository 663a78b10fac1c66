import { expect, test } from 'vitest';
import { locateModel } from '../../../system/locate-model.ts';
import { makeDownloadEnvironment } from '../../../validation/model/download-environment.ts';
import { checkModelUri, readModelSources } from '../../../validation/model/model-sources.ts';

const TRACKING = 'https://mlflow.acme.com';
const ALLOWED =
  's3://acme-models/prod, https://models.acme.com:443/iris abfss://models@acme.dfs.core.windows.net mlflow-artifacts://[fd00::1]:5000';
const sources = readModelSources({ MLFLOW_TRACKING_URI: TRACKING, DAVIT_MODEL_SOURCES: ALLOWED });
const nothing = readModelSources({ MLFLOW_TRACKING_URI: TRACKING });

test('checkModelUri() allows what the tracking server names, and what the environment lists', () => {
  const kinds = {
    'models:/iris/1': 'tracking',
    'models:///iris/1': 'tracking',
    'models:/m-0123': 'tracking',
    'runs:/abc/model': 'tracking',
    'mlflow-artifacts:/1/abc/model': 'tracking',
    'mlflow-artifacts://MLFLOW.acme.com:443/1/abc': 'tracking',
    's3://acme-models/prod/iris': 'storage',
    'https://models.acme.com/iris/1': 'other',
    'abfss://models@acme.dfs.core.windows.net/iris': 'azure',
    'mlflow-artifacts://[fd00::1]:5000/iris': 'other',
  };
  for (const [uri, kind] of Object.entries(kinds)) expect([uri, checkModelUri(uri, sources)]).toEqual([uri, kind]);
});

test.each([
  'mlflow-artifacts://evil.com/x',
  'mlflow-artifacts://mlflow.acme.com:5000/x',
  'mlflow-artifacts://mlflow.acme.com@evil.com/x',
  'mlflow-artifacts://mlflow.acme.com.evil.com/x',
  'http://169.254.169.254/latest',
  'http://models.acme.com/iris/1',
  'https://models.acme.com:8443/iris/1',
  'https://models.acme.com/irises',
  'https://models.acme.com/iris/../secret',
  'https://models.acme.com/iris/%2e%2E/secret',
  'https://models.acme.com/iris/%252e%252e/secret',
  'https://models.acme.com/iris//evil.com',
  'https://models.acme.com\\@evil.com/iris',
  'https://models.acme.com/iris?x=1',
  'https://models.acme.com/iris#x',
  'https://models.acme.com /iris',
  'https://user:secret@models.acme.com/iris',
  's3://acme-models',
  's3://acme-models/production',
  's3://other/prod',
  'S3://acme-models/prod/iris',
  'abfss://other@acme.dfs.core.windows.net/iris',
  'gs://x/y',
  'dbfs:/x',
  'dbfs://profile@databricks/x',
  'hdfs:/x',
  'sftp://h/x',
  'ftp://h/x',
  'hf://user/model',
  'models://profile@databricks/iris/1',
  'models://evil.com/iris/1',
  'runs://profile@databricks/abc/model',
  'MODELS:/iris/1',
  'file://evil.com/share',
  'FILE:///etc',
])('checkModelUri() refuses %s, and says how the owner allows more', (uri) => {
  expect(locateModel('/project', { name: 'm', version: '1', uri }).remote).toBe(uri);
  const refusal = checkModelUri(uri, sources);
  expect(refusal).toHaveProperty('why');
  expect(JSON.stringify(refusal)).not.toContain('secret');
});

test('checkModelUri() names what is allowed and who can allow more', () => {
  expect(checkModelUri('s3://acme-models/prod/iris', nothing)).toEqual({
    why: 'its source is not allowed, expected one of models:/, runs:/, paths',
    hint: 'To allow it, the owner of the repository adds s3://acme-models to DAVIT_MODEL_SOURCES in the environment of Davit, or to the input "model-sources" of its workflow; a pull request cannot',
  });
});

test.each(['s3:', 's3://', '*', 'models:/', 'file:///', 'https://user:secret@host'])(
  'readModelSources() refuses the entry %s without repeating it',
  (entry) => {
    const read = () => readModelSources({ DAVIT_MODEL_SOURCES: entry });
    expect(read).toThrow(/^Cannot use an entry of DAVIT_MODEL_SOURCES: expected SCHEME:\/\/HOST/);
    expect(read).not.toThrow(/secret/);
  },
);

test('a download gets only the variables that its source needs', () => {
  const secrets = {
    MLFLOW_TRACKING_TOKEN: 'secret-1',
    MLFLOW_TRACKING_PASSWORD: 'secret-2',
    AWS_SECRET_ACCESS_KEY: 'secret-3',
    DATABRICKS_TOKEN: 'secret-4',
    GITHUB_TOKEN: 'secret-5',
    NPM_TOKEN: 'secret-6',
    GOOGLE_APPLICATION_CREDENTIALS: 'secret-8',
    AZURE_STORAGE_ACCESS_KEY: 'secret-9',
  };
  const variables = { ...secrets, MLFLOW_TRACKING_URI: 'https://u:secret-7@mlflow.acme.com', PATH: '/bin', HOME: '/h' };
  const given = (
    ...[kind, uri]: Parameters<typeof makeDownloadEnvironment> extends [infer K, infer U, ...unknown[]] ? [K, U] : never
  ) => {
    const environment = makeDownloadEnvironment(kind, uri, { home: '/empty', variables });
    return [environment['HOME'], JSON.stringify(environment).match(/secret-\d/g) ?? []];
  };
  expect(given('tracking', 'models:/iris/1')).toEqual([
    '/h',
    ['secret-1', 'secret-2', 'secret-3', 'secret-8', 'secret-9', 'secret-7'],
  ]);
  expect(given('storage', 's3://b/x')).toEqual(['/h', ['secret-3']]);
  expect(given('google', 'gs://b/x')).toEqual(['/h', ['secret-8']]);
  expect(given('azure', 'wasbs://c@a.blob.core.windows.net/x')).toEqual(['/h', ['secret-9']]);
  expect(given('databricks', 'dbfs:/x')).toEqual(['/h', ['secret-1', 'secret-2', 'secret-4', 'secret-7']]);
  expect(given('other', 'mlflow-artifacts://h/x')).toEqual(['/empty', []]);
});
