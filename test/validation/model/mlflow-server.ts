import { type ChildProcess, spawn } from 'node:child_process';
import { pbkdf2Sync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { until } from '../../runtime/start-server.ts';
import { makeChildEnvironment } from '../../../system/run-process.ts';
import { makePythonPackages } from '../../helpers/python-packages.ts';

const ADMIN = ['admin', 'password-of-admin-1'] as const;

/** MLflow's own server with a registry, artifacts that it serves itself, and basic authentication. */
export interface MlflowServer {
  readonly url: string;
  /** The variables with which MLflow's client, and Davit, reach the server as the administrator. */
  readonly variables: Readonly<Record<string, string>>;
  /** Sends a request of MLflow's REST API as the administrator: `2.0/mlflow/users/create`. */
  readonly call: (path: string, body?: unknown, method?: string) => Promise<unknown>;
  /** Uploads the files of a model and registers them as the next version. */
  readonly register: (name: string, folder: string) => Promise<void>;
  /** Makes an account that may read nothing yet. */
  readonly createUser: (username: string, password: string) => Promise<void>;
  /** Sets what only a registry with slow storage reports. */
  readonly setStatus: (name: string, version: number, status: string) => void;
  readonly stop: () => Promise<void>;
}

interface Run {
  readonly run: { readonly info: { readonly artifact_uri: string; readonly run_id: string } };
}

export async function startMlflowServer(): Promise<MlflowServer> {
  const python = await makePythonPackages({
    name: 'mlflow-server-1',
    packages: ['mlflow==3.17.2', 'flask-wtf'],
    imports: 'flask_wtf',
  });
  const folder = await mkdtemp(join(tmpdir(), 'davit-mlflow-'));
  const port = await findFreePort();
  const child = await spawnServer(python, folder, port);
  const url = `http://127.0.0.1:${port}`;
  const isUp = async () => child.exitCode !== null || (await fetch(`${url}/health`).then((r) => r.ok, () => false)); // prettier-ignore
  await until(isUp);
  storeFastHash(folder, ...ADMIN);
  const call: MlflowServer['call'] = (path, body, method) => send(`${url}/api/${path}`, body, method);
  const register: MlflowServer['register'] = async (name, model) => {
    const { run } = (await call('2.0/mlflow/runs/create', { experiment_id: '0' })) as Run;
    const source = `${run.info.artifact_uri}/model`;
    for (const file of await readdir(model, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      await call(
        `2.0/mlflow-artifacts/artifacts/${source.replace('mlflow-artifacts:/', '')}/${path.slice(model.length + 1)}`,
        await readFile(path),
        'PUT',
      );
    }
    await call('2.0/mlflow/model-versions/create', { name, source, run_id: run.info.run_id });
  };
  const createUser: MlflowServer['createUser'] = async (username, password) => {
    await call('2.0/mlflow/users/create', { username, password });
    storeFastHash(folder, username, password);
  };
  const setStatus: MlflowServer['setStatus'] = (name, version, status) => {
    const database = new DatabaseSync(join(folder, 'mlflow.db'));
    database.prepare('UPDATE model_versions SET status = ? WHERE name = ? AND version = ?').run(status, name, version);
    database.close();
  };
  const stop = async () => {
    child.kill();
    await until(() => child.exitCode !== null || child.signalCode !== null);
    await rm(folder, { recursive: true, force: true });
  };
  const variables = {
    MLFLOW_TRACKING_URI: url,
    MLFLOW_TRACKING_USERNAME: ADMIN[0],
    MLFLOW_TRACKING_PASSWORD: ADMIN[1],
  };
  return { url, variables, call, register, createUser, setStatus, stop };
}

/** MLflow hashes the password of every request, each time for a tenth of a second: half of the test's CPU time. */
function storeFastHash(folder: string, username: string, password: string): void {
  const hash = pbkdf2Sync(password, 'salt', 1, 32, 'sha256').toString('hex');
  const database = new DatabaseSync(join(folder, 'auth.db'));
  database
    .prepare('UPDATE users SET password_hash = ? WHERE username = ?')
    .run(`pbkdf2:sha256:1$salt$${hash}`, username);
  database.close();
}

async function spawnServer(python: string, folder: string, port: number): Promise<ChildProcess> {
  const settings = join(folder, 'auth.ini');
  const lines = [
    '[mlflow]',
    'default_permission = NO_PERMISSIONS',
    `database_uri = sqlite:///${join(folder, 'auth.db')}`,
    `admin_username = ${ADMIN[0]}`,
    `admin_password = ${ADMIN[1]}`,
    'authorization_function = mlflow.server.auth:authenticate_request_basic_auth',
  ];
  await writeFile(settings, lines.join('\n'));
  const store = ['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`];
  const artifacts = ['--serve-artifacts', '--artifacts-destination', join(folder, 'artifacts')];
  const at = ['--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
  return spawn(python, ['-m', 'mlflow', 'server', '--app-name', 'basic-auth', ...at, ...store, ...artifacts], {
    cwd: folder,
    stdio: 'ignore',
    env: makeChildEnvironment({
      MLFLOW_AUTH_CONFIG_PATH: settings,
      MLFLOW_FLASK_SERVER_SECRET_KEY: 'key of a test',
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
      MLFLOW_TRACKING_URI: undefined,
    }),
  });
}

/** The port of a server that has ended. Another process could take it, which no test here has seen. */
async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function send(url: string, body: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<unknown> {
  const isFile = body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(ADMIN.join(':')).toString('base64')}`,
      ...(!isFile && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: isFile ? new Uint8Array(body) : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
