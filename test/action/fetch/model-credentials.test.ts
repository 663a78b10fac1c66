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
  expect(prepareModelCredentials(variables)).toEqual(['token-of-mlflow', 'a=b c${X}%']);
  expect(variables).toEqual({
    ...{ PATH: '/bin', MLFLOW_TRACKING_TOKEN: 'token-of-mlflow' },
    ...{ UV_INDEX_ACME_USERNAME: 'builders', UV_INDEX_ACME_PASSWORD: 'a=b c${X}%' },
  });
  expect(said.split('\n').filter(Boolean)).toEqual(['::add-mask::token-of-mlflow', '::add-mask::a=b c${X}%25']);
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
  };
  removeModelCredentials(variables);
  expect(variables).toEqual({ PATH: '/bin', DATABRICKS_HOST: 'https://acme.example' });
});
