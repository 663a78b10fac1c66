// The job that has the credentials of registries and indexes, and the job that runs the model, with what the first hands on.
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseReport, type Report } from '../../schemas/report/report.ts';
import { cacheFolder } from '../../system/cache.ts';
import { codePath } from '../../system/code.ts';
import { writeWheel } from '../helpers/write-package.ts';
import { FAKE_TOKEN, type FakeDatabricks, startFakeDatabricks } from '../validation/model/fake-databricks.ts';
import { commit, makeWorkspace, runStepInProcess, type StepResult, writeFiles } from './run-action.ts';

const MODEL = 'main.garden.flowers';
const PASSWORD = 'password-of-the-index';
const SECRETS = [FAKE_TOKEN, PASSWORD];
const FOLDER = await mkdtemp(join(tmpdir(), 'davit-fetch-'));
/** Written by the package whenever a Python starts that has it, unless a sandbox stops that. */
const STARTED = join(FOLDER, 'started');
const ENTITY = `name: flowers\nconfig:\n  served_entities:\n    - { name: flowers, entity_name: ${MODEL}, entity_version: "@champion" }\n`;
const NOT_SANDBOXED = { 'without-sandbox': String(process.env['DAVIT_WITHOUT_SANDBOX'] === '1') };

interface RecordingServer {
  readonly url: string;
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[];
  readonly stop: () => void;
}

let registry: FakeDatabricks;
let index: RecordingServer;
let stranger: RecordingServer;
let workspace = '';
let base = '';
let fetched: StepResult;
/** Paths in the cache that the job has handed on. */
let handed: readonly string[] = [];

beforeAll(async () => {
  const wheel = makeWheel();
  stranger = await startServer(() => undefined);
  index = await startServer((path) => {
    const link = `<a href="/files/acme_private-1.0-py3-none-any.whl#sha256=${createHash('sha256').update(wheel).digest('hex')}">x</a>`;
    return path.startsWith('/files/') ? wheel : path === '/simple/acme-private/' ? link : undefined;
  }, PASSWORD);
  registry = await startFakeDatabricks(await makeModel());
  workspace = makeWorkspace({ '.gitignore': '.davit/\n' });
  base = commit(workspace);
  writeFiles(workspace, { 'endpoints/flowers.yaml': ENTITY });
  commit(workspace);
  fetched = await runFetch();
  const archive = join(fetched.outputs['folder'] ?? '', 'files.tar');
  handed = execFileSync('tar', ['--list', '--file', archive], { encoding: 'utf8' }).split('\n').filter(Boolean);
});

afterAll(async () => {
  for (const server of [registry, index, stranger]) server.stop();
  for (const folder of [FOLDER, workspace]) await rm(folder, { recursive: true, force: true });
});

/** A server that answers 404, or asks for a password; it records every request. */
async function startServer(
  answer: (path: string) => string | Uint8Array | undefined,
  password?: string,
): Promise<RecordingServer> {
  const requests: { path: string; authorization: string | undefined }[] = [];
  const wanted = password && `Basic ${Buffer.from(`ci:${password}`).toString('base64')}`;
  const server = createServer((request, response) => {
    const { url: path = '', headers } = request;
    requests.push({ path, authorization: headers.authorization });
    const body = headers.authorization === wanted ? answer(path) : undefined;
    const status = headers.authorization !== wanted ? 401 : body === undefined ? 404 : 200;
    response.writeHead(status, typeof body === 'string' ? { 'content-type': 'text/html' } : {}).end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, requests, stop: () => void server.close() };
}

/** A private package that says when it starts, and what variables it sees. Its content is new in each run. */
function makeWheel(): Buffer {
  const file = join(FOLDER, 'acme_private-1.0-py3-none-any.whl');
  writeWheel(file, {
    'acme_private/__init__.py': `import json, os\n# ${randomUUID()}\ndef environment(): return json.dumps(dict(os.environ))\n`,
    'acme_private.pth': `import os; os.path.isdir(${JSON.stringify(FOLDER)}) and open(${JSON.stringify(STARTED)}, "a").close()\n`,
  });
  return readFileSync(file);
}

/** A model that answers the variables that it sees, and that asks for packages of a stranger. */
async function makeModel(): Promise<string> {
  const folder = join(FOLDER, 'model');
  await cp(codePath('test', 'fixtures', 'models', 'p_flowers_1'), folder, { recursive: true });
  const replace = async (name: string, from: string, to: string) => {
    const text = await readFile(join(folder, name), 'utf8');
    expect(text).toContain(from);
    await writeFile(join(folder, name), text.replace(from, to));
  };
  await replace('model.py', 'list(range(len(model_input)))', '[acme_private.environment()] * len(model_input)');
  await replace('model.py', 'import mlflow\n', 'import acme_private\nimport mlflow\n');
  await replace('MLmodel', '"type": "long"', '"type": "string"');
  const lines = `--extra-index-url ${stranger.url}/simple\nacme-private==1.0\nmlflow-skinny==`;
  await replace('requirements.txt', 'mlflow-skinny==', lines);
  return folder;
}

function makeEvent() {
  const head = execFileSync('git', ['-C', workspace, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  return { pull_request: { number: 7, base: { sha: base }, head: { sha: head } } };
}

const addresses = () => ({ MLFLOW_REGISTRY_URI: 'databricks-uc', DATABRICKS_HOST: registry.url });

/** The pull request is a checkout below the workspace, which is the base branch or nothing. */
function runFetch(): Promise<StepResult> {
  const place = join(FOLDER, 'fetching', randomUUID());
  execFileSync('git', ['clone', '--quiet', workspace, join(place, '.davit', 'pull-request')]);
  return runStepInProcess({
    inputs: { command: 'fetch', environments: 'local', 'with-packages': 'true' },
    workspace: place,
    event: makeEvent(),
    env: {
      ...addresses(),
      ...{ DATABRICKS_TOKEN: FAKE_TOKEN, MLFLOW_TRACKING_TOKEN: '', MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0' },
      UV_INDEX: `acme=${index.url}/simple`,
      DAVIT_INDEX_CREDENTIALS: `UV_INDEX_ACME_USERNAME=ci\nUV_INDEX_ACME_PASSWORD=${PASSWORD}\n`,
    },
  });
}

/** Without a package index and its cache. A runner that has the token in its own variables is the worst case. */
function runValidate(result: string, folder: string): Promise<StepResult> {
  return runStepInProcess({
    inputs: { command: 'validate', environments: 'local', fetched: folder, 'fetch-result': result, ...NOT_SANDBOXED },
    workspace,
    event: makeEvent(),
    env: {
      ...addresses(),
      ...{ DATABRICKS_TOKEN: FAKE_TOKEN, UV_OFFLINE: '1', UV_CACHE_DIR: join(FOLDER, 'empty-cache') },
    },
  });
}

function readReport({ outputs }: StepResult): Report {
  return parseReport(readFileSync(join(outputs['folder'] ?? '', 'report.json'), 'utf8'));
}

it('fetches a model, its lock and its packages with credentials, and starts nothing of them', () => {
  const { code, log } = fetched;
  expect({ code }, log).toEqual({ code: 0 });
  expect(readReport(fetched).endpoints, log).toMatchObject([
    { endpoint: 'flowers', lock: 'missing', computed_lock: expect.any(String) as unknown, outage: null },
  ]);
  expect([...new Set(handed.map((path) => path.split('/')[0]))].sort()).toEqual(['models', 'modules', 'virtualenvs']);
  expect(handed.some((path) => path.endsWith('/acme_private/__init__.py'))).toBe(true);
  expect(existsSync(STARTED)).toBe(false);
});

it('sends each credential to its own server, and nothing to one that the model names', () => {
  const sent = (server: { readonly requests: FakeDatabricks['requests'] }) => new Set(server.requests.flatMap((r) => r.authorization ?? [])); // prettier-ignore
  expect(sent(registry)).toEqual(new Set([`Bearer ${FAKE_TOKEN}`]));
  expect(sent(index)).toEqual(new Set([`Basic ${Buffer.from(`ci:${PASSWORD}`).toString('base64')}`]));
  expect(stranger.requests).toEqual([]);
});

it('hands on no credential and says none', () => {
  const folder = fetched.outputs['folder'] ?? '';
  const masks = fetched.commands.filter((line) => line.startsWith('::add-mask::'));
  expect(masks).toEqual(expect.arrayContaining(SECRETS.map((secret) => `::add-mask::${secret}`)));
  const said = fetched.log.split('\n').filter((line) => !masks.includes(line));
  const files = globSync('**', { cwd: folder, withFileTypes: true }).filter((file) => file.isFile());
  expect(files.map((file) => file.name).sort()).toEqual([
    'files.tar',
    'flowers.lock',
    'handed-over.json',
    'report.json',
  ]);
  for (const secret of SECRETS) {
    expect(said.filter((line) => line.includes(secret))).toEqual([]);
    for (const file of files) expect(readFileSync(join(file.parentPath, file.name)).includes(secret)).toBe(false);
  }
});

it('lets the model be proved by a job that reaches neither registry nor index, and sees no variable of it', async () => {
  for (const path of handed) rmSync(cacheFolder(path), { recursive: true, force: true });
  const before = [registry, index].map((server) => server.requests.length);
  const { log, outputs, code } = await runValidate('success', fetched.outputs['folder'] ?? '');
  expect({ code }, log).toEqual({ code: 0 });
  const [endpoint] = readReport({ log, outputs, code, commands: [], summary: '' }).endpoints;
  expect(endpoint, log).toMatchObject({ lock: 'missing', outage: null, computed_lock: expect.any(String) as unknown });
  const answer = endpoint?.entities[0]?.proof?.cases[0]?.answer ?? '';
  expect(answer, 'the variables of the sandbox').toContain('PATH');
  for (const word of [...SECRETS, 'DATABRICKS', 'MLFLOW_REGISTRY', 'UV_', 'GITHUB_', 'INPUT_'])
    expect(answer, word).not.toContain(word);
  expect([registry, index].map((server) => server.requests.length)).toEqual(before);
});

it('says of a run without credentials that they are missing, and asks no registry', async () => {
  const before = registry.requests.length;
  const run = await runValidate('skipped', join(FOLDER, 'nothing'));
  expect(readReport(run).endpoints[0]?.diagnostics, run.log).toMatchObject([{ code: 'credentials-withheld' }]);
  expect(run.commands.join('\n')).toContain('1 endpoint: 1 waiting for a run with credentials');
  expect(registry.requests.length).toBe(before);
});

it('says of a job that has left nothing that its log says why', async () => {
  const run = await runValidate('failure', join(FOLDER, 'nothing'));
  expect(readReport(run).endpoints[0]?.outage, run.log).toBe(
    'the job "fetch" ended with "failure" and has left no report; see its log',
  );
});

it('sends nothing to a registry that the pull request names', async () => {
  writeFiles(workspace, {
    'environments/local.yaml': `name: local\ntarget: local\nregistry: { uri: ${stranger.url} }\n`,
  });
  commit(workspace);
  const run = await runFetch();
  expect(run.code, run.log).toBe(0);
  expect(readReport(run).endpoints[0]?.diagnostics).toMatchObject([{ code: 'registry-refused' }]);
  expect(stranger.requests).toEqual([]);
});
