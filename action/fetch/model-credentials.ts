import { setSecret } from '@actions/core';
import { listSecretParts } from './secret-parts.ts';
import {
  decodeLogin,
  findWrittenLogin,
  listIndexAddresses,
  removeIndexLogins,
} from '../../schemas/values/index-addresses.ts';

/**
 * Variables with a secret or a name of an account, for registries of models and the stores of their files. Their names
 * are those of the clients, except for GOOGLE_CREDENTIALS and CONTAINER_REGISTRY_*, which become files.
 */
const REGISTRY = [
  'MLFLOW_TRACKING_USERNAME',
  'MLFLOW_TRACKING_PASSWORD',
  'MLFLOW_TRACKING_TOKEN',
  'DATABRICKS_TOKEN',
  'DATABRICKS_CLIENT_ID',
  'DATABRICKS_CLIENT_SECRET',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AZURE_STORAGE_CONNECTION_STRING',
  'AZURE_STORAGE_ACCESS_KEY',
  'AZURE_STORAGE_SAS_TOKEN',
  'AZURE_TENANT_ID',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'GOOGLE_CREDENTIALS',
  'CONTAINER_REGISTRY_USERNAME',
  'CONTAINER_REGISTRY_PASSWORD',
] as const;
/** Addresses that a workflow sets from an input, which is empty by default. */
const ADDRESSES = [
  'MLFLOW_REGISTRY_URI',
  'MLFLOW_S3_ENDPOINT_URL',
  'DATABRICKS_HOST',
  'CONTAINER_REGISTRY',
  'UV_INDEX',
] as const;
/** A secret with lines, because the names of indexes are the user's: `UV_INDEX_ACME_PASSWORD=…`. */
const INDEX_LINES = 'DAVIT_INDEX_CREDENTIALS';
const INDEX_LINE = /^(UV_INDEX_[A-Z0-9_]+_(?:USERNAME|PASSWORD))=(.*)$/;
/** A shorter text is no secret, and would be found in any file. */
const MIN_SECRET_CHARACTERS = 6;

/**
 * Makes the credentials of the workflow ready for the programs that download models and packages. Masks them in the log.
 * Returns the secrets, also in the forms that programs and servers write them in.
 */
export function prepareModelCredentials(variables: NodeJS.ProcessEnv = process.env): readonly string[] {
  removeEmptyVariables(variables);
  Object.assign(variables, readIndexLines(variables[INDEX_LINES] ?? ''));
  Reflect.deleteProperty(variables, INDEX_LINES);
  const given = Object.entries(variables).flatMap(([name, value]) =>
    isSecret(name) && value ? listSecretParts(name, value) : [],
  );
  const logins = [...listLogins(variables), ...listAddressLogins(variables)];
  const plain = [...given, ...logins].filter((value) => value.length >= MIN_SECRET_CHARACTERS);
  const secrets = [...new Set(plain.flatMap(listForms))];
  for (const secret of secrets) setSecret(secret);
  return secrets;
}

/** Removes every credential from the variables of this process: a job that runs models must not have been given any. */
export function removeModelCredentials(variables: NodeJS.ProcessEnv = process.env): void {
  for (const name of Object.keys(variables))
    if (isCredential(name) || name === INDEX_LINES) Reflect.deleteProperty(variables, name);
  removeIndexLogins(variables);
}

/** Removes what the workflow has left empty: MLflow and uv would take an empty value for a given one. */
export function removeEmptyVariables(variables: NodeJS.ProcessEnv = process.env): void {
  for (const name of [...REGISTRY, ...ADDRESSES]) if (variables[name] === '') Reflect.deleteProperty(variables, name);
}

function isCredential(name: string): boolean {
  return REGISTRY.some((known) => known === name) || /^UV_INDEX_[A-Z0-9_]+_(?:USERNAME|PASSWORD)$/.test(name);
}

function isSecret(name: string): boolean {
  return isCredential(name) && !/_(?:USERNAME|CLIENT_ID|TENANT_ID|APPLICATION_CREDENTIALS)$/.test(name);
}

/** `user:password`, which a header has in base64. */
function listLogins(variables: NodeJS.ProcessEnv): readonly string[] {
  return Object.entries(variables).flatMap(([name, password]) => {
    if (!name.endsWith('_PASSWORD') || !isSecret(name) || !password) return [];
    return [`${variables[name.replace(/_PASSWORD$/, '_USERNAME')] ?? ''}:${password}`];
  });
}

/** Of the addresses of indexes: `user:password` and the password, or a user that is a token, as written and decoded. */
function listAddressLogins(variables: NodeJS.ProcessEnv): readonly string[] {
  return listIndexAddresses(variables).flatMap(({ address }) => {
    const login = findWrittenLogin(address);
    if (login === undefined) return [];
    const [, user = '', password = ''] = /^([^:]*):?(.*)$/s.exec(login) ?? [];
    const written = [login, password === '' ? user : password];
    return [...written, ...written.map(decodeLogin)];
  });
}

/** As it is, in JSON with and without escapes of other letters than ASCII, in an address, and in base64. */
function listForms(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const ascii = json.replaceAll(
    /[\u0080-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const address = encodeURIComponent(secret);
  const quoted = address.replaceAll(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
  return [secret, json, ascii, address, quoted, Buffer.from(secret).toString('base64')];
}

function readIndexLines(text: string): Readonly<Record<string, string>> {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const read = lines.map((line, i) => {
    const [, name, value] = INDEX_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined)
      // The line may be a secret, so it is not shown.
      throw new Error(
        `Cannot read line ${i + 1} of the secret ${INDEX_LINES}: expected UV_INDEX_NAME_USERNAME=… or UV_INDEX_NAME_PASSWORD=…, with the name of an index in the input "indexes" in capital letters`,
      );
    return [name, value] as const;
  });
  return Object.fromEntries(read.filter(([, value]) => value !== ''));
}
