import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { prepareModelCredentials, removeModelCredentials } from '../../../action/fetch/model-credentials.ts';

let said = '';
beforeEach(() => {
  said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => void vi.restoreAllMocks());

it('reads the credentials of indexes by name, masks what is secret, and removes what the workflow left empty', () => {
  const variables = {
    ...{ PATH: '/bin', MLFLOW_TRACKING_TOKEN: 'token-of-mlflow', MLFLOW_TRACKING_PASSWORD: '', DATABRICKS_HOST: '' },
    DAVIT_INDEX_CREDENTIALS: '# ours\r\nUV_INDEX_ACME_USERNAME=builders\n\nUV_INDEX_ACME_PASSWORD=a=b c${X}%\n',
  };
  const secrets = prepareModelCredentials(variables);
  expect(secrets).toContain('token-of-mlflow');
  expect(secrets).not.toContain('builders');
  expect(variables).toEqual({
    ...{ PATH: '/bin', MLFLOW_TRACKING_TOKEN: 'token-of-mlflow' },
    ...{ UV_INDEX_ACME_USERNAME: 'builders', UV_INDEX_ACME_PASSWORD: 'a=b c${X}%' },
  });
  const masks = secrets.map((secret) => `::add-mask::${secret.replaceAll('%', '%25')}`);
  expect(said.split('\n').filter(Boolean)).toEqual(masks);
});

it('knows a secret in JSON, in an address and in a header', () => {
  const password = 'p"é(1) /x';
  const secrets = prepareModelCredentials({ MLFLOW_TRACKING_USERNAME: 'ci', MLFLOW_TRACKING_PASSWORD: password });
  for (const form of [password, 'p\\"é(1) /x', 'p\\"\\u00e9(1) /x', 'p%22%C3%A9(1)%20%2Fx', 'p%22%C3%A9%281%29%20%2Fx'])
    expect(secrets).toContain(form);
  expect(secrets).toContain(Buffer.from(`ci:${password}`).toString('base64'));
});

it('masks the parts of a secret that a program may print alone, and nothing that is public', () => {
  const key = { private_key: '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n', private_key_id: 'id-of-the-key' }; // prettier-ignore
  const account = { type: 'service_account', client_email: 'ci@acme.example', token_uri: 'https://oauth2.googleapis.com/token' }; // prettier-ignore
  const secrets = prepareModelCredentials({
    GOOGLE_CREDENTIALS: JSON.stringify(
      { ...account, ...key, headers: { Authorization: 'Bearer of-the-runner' } },
      null,
      2,
    ),
    AZURE_STORAGE_CONNECTION_STRING: 'DefaultEndpointsProtocol=https;AccountName=acmemodels;AccountKey=a2V5LWtleQ==',
    AZURE_STORAGE_SAS_TOKEN: '?sv=2025-05-05&sp=rl&sig=c2lnbmF0%2FdXJl',
    ...{
      AZURE_TENANT_ID: 'id-of-the-tenant',
      AZURE_CLIENT_ID: 'id-of-the-client',
      AZURE_CLIENT_SECRET: 'secret-of-it',
    },
    ...{ CONTAINER_REGISTRY_USERNAME: 'builders', CONTAINER_REGISTRY_PASSWORD: 'token-of-ghcr' },
  });
  const parts = [
    'Bearer of-the-runner',
    'a2V5LWtleQ==',
    'c2lnbmF0/dXJl',
    'c2lnbmF0%2FdXJl',
    'secret-of-it',
    'token-of-ghcr',
  ];
  for (const secret of [...Object.values(key), ...parts, btoa('builders:token-of-ghcr')])
    expect(secrets).toContain(secret);
  for (const text of [...Object.values(account), 'acmemodels', 'id-of-the-tenant', 'id-of-the-client', 'builders', '{'])
    expect(secrets).not.toContain(text);
});

it('knows a secret in the address of an index, as it is written and decoded', () => {
  const secrets = prepareModelCredentials({
    UV_DEFAULT_INDEX: 'acme=https://ci:hunter2%2Fhunter2@pypi.acme.example/simple',
    UV_INDEX: 'https://token-of-b@b.example/simple https://c.example/feed@view/simple',
  });
  for (const form of ['hunter2%2Fhunter2', 'hunter2/hunter2', 'token-of-b']) expect(secrets).toContain(form);
  expect(secrets).toContain(Buffer.from('ci:hunter2/hunter2').toString('base64'));
  expect(secrets.join()).not.toMatch(/view|example/);
});

it.each([
  'hunter2-hunter2',
  'UV_INDEX=acme=https://elsewhere.example',
  'UV_INDEX_URL=https://elsewhere.example',
  'PATH=/tmp',
  'UV_INDEX_ACME_PASSWORD',
])('refuses another line without showing it: %s', (line) => {
  const variables = { DAVIT_INDEX_CREDENTIALS: `UV_INDEX_ACME_USERNAME=ci\n${line}` };
  const refuse = () => prepareModelCredentials(variables);
  expect(refuse).toThrow(
    /^Cannot read line 2 of the secret DAVIT_INDEX_CREDENTIALS: expected UV_INDEX_NAME_USERNAME=…/,
  );
  expect(refuse).not.toThrow(line);
});

it('removes every credential where models run', () => {
  const variables = {
    ...{ PATH: '/bin', DATABRICKS_HOST: 'https://acme.example', DATABRICKS_CLIENT_SECRET: 'x', AWS_ACCESS_KEY_ID: 'x' },
    ...{ MLFLOW_TRACKING_USERNAME: 'x', UV_INDEX_ACME_PASSWORD: 'x', DAVIT_INDEX_CREDENTIALS: 'x' },
    ...{ GOOGLE_CREDENTIALS: 'x', AZURE_CLIENT_SECRET: 'x', CONTAINER_REGISTRY_PASSWORD: 'x' },
    UV_INDEX: 'acme=https://ci:hunter2@pypi.acme.example/simple',
  };
  removeModelCredentials(variables);
  expect(variables).toEqual({
    ...{ PATH: '/bin', DATABRICKS_HOST: 'https://acme.example' },
    UV_INDEX: 'acme=https://pypi.acme.example/simple',
  });
});
