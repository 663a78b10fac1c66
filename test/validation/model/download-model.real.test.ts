import { execFileSync } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fetchModel } from '../../../validation/model/fetch-model.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { makeEndpoint, makeProject } from '../throw-away-project.ts';

interface FakeServer {
  readonly address: string;
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[];
}

const closers: (() => void)[] = [];

async function serve(answer: (path: string, response: ServerResponse) => void): Promise<FakeServer> {
  const requests: FakeServer['requests'] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const path = request.url ?? '';
    requests.push({ path, authorization: request.headers.authorization });
    answer(path, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => server.close());
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** A host that is not the tracking server. Its answer must not reach a diagnostic. */
const serveOther = () => serve((_, response) => void response.writeHead(418).end('internal-answer'));

/** A tracking server that names where the artifacts of every model version are. */
const serveTracking = (artifacts: string) =>
  serve((path, response) => {
    if (path.includes('model-versions/get?'))
      response.end(JSON.stringify({ model_version: { name: 'iris', version: '1', status: 'READY' } }));
    else if (path.includes('get-download-uri')) response.end(JSON.stringify({ artifact_uri: artifacts }));
    else if (path.includes('registered-models/get'))
      response.end(JSON.stringify({ registered_model: { name: 'iris' } }));
    else if (path.includes('mlflow-artifacts')) response.writeHead(302, { location: `${artifacts}/moved` }).end();
    else response.writeHead(404).end('internal-answer');
  });

async function fetch(uri: string) {
  const endpoint = makeEndpoint('e', { m: 'iris/1' }, { m: { model_uri: uri } });
  const { diagnostics } = await fetchModel(makeSubject(endpoint, endpoint.entities[0]!), {
    root: await makeProject({}),
  });
  return diagnostics.map((d) => `${d.message}. ${d.hint ?? ''}`).join('\n');
}

beforeEach(() => {
  vi.stubEnv('MLFLOW_TRACKING_TOKEN', 'secret-token');
  vi.stubEnv('MLFLOW_HTTP_REQUEST_MAX_RETRIES', '0');
  vi.stubEnv('DAVIT_MODEL_SOURCES', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const close of closers.splice(0)) close();
});

test('a model URI sends nothing to a host that the environment does not allow', async () => {
  const other = await serveOther();
  vi.stubEnv('MLFLOW_TRACKING_URI', 'http://127.0.0.1:9');
  expect(await fetch(`mlflow-artifacts://${other.address}/x`)).toMatch(/its source is not allowed/);
  expect(other.requests).toEqual([]);
});

test('an allowed host gets no credential of the tracking server, and its answer is not shown', async () => {
  const other = await serveOther();
  vi.stubEnv('MLFLOW_TRACKING_URI', 'http://127.0.0.1:9');
  vi.stubEnv('DAVIT_MODEL_SOURCES', `mlflow-artifacts://${other.address}`);
  const shown = await fetch(`mlflow-artifacts://${other.address}/x`);
  expect(other.requests.length).toBeGreaterThan(0);
  expect(other.requests.map((r) => r.authorization)).not.toContain('Bearer secret-token');
  expect(shown).toMatch(/the download failed/);
  expect(shown).not.toMatch(/\b418\b|internal-answer|secret-token/);
});

test('the tracking server gets its token, and the hosts that it names or redirects to get nothing', async () => {
  const other = await serveOther();
  const named = await serveTracking(`http://${other.address}/api/2.0/mlflow-artifacts/artifacts/x`);
  vi.stubEnv('MLFLOW_TRACKING_URI', `http://${named.address}`);
  expect(await fetch('models:/iris/1')).toContain(
    `its files are at http://${other.address}, which is not an allowed source`,
  );
  expect(named.requests.map((r) => r.authorization)).toContain('Bearer secret-token');
  expect(await fetch('mlflow-artifacts:/x')).toContain(`its files are at http://${other.address}`);
  expect(other.requests).toEqual([]);
});

test('an interrupted download continues with the files that are not complete', async () => {
  const files: Readonly<Record<string, string>> = { MLmodel: 'flavors: {}', 'weights.bin': 'x'.repeat(1000) };
  let sent = 4;
  const server = await serve((path, response) => {
    const file = Object.keys(files).find((name) => path.endsWith(`/${name}`));
    if (file !== undefined) response.end(files[file]?.slice(0, file === 'weights.bin' ? sent : undefined));
    else if (path.includes('artifacts?'))
      response.end(JSON.stringify({ files: Object.entries(files).map(([name, text]) => ({ path: name, is_dir: false, file_size: text.length })) })); // prettier-ignore
    else response.writeHead(404).end();
  });
  vi.stubEnv('MLFLOW_TRACKING_URI', `http://${server.address}`);
  await expect(fetch('mlflow-artifacts:/1/model')).rejects.toThrow(
    'Cannot fetch iris 1 from "mlflow-artifacts:/1/model": a file ended before the size that its store lists; the files that are complete are kept. Try again later',
  );
  sent = 1000;
  expect(await fetch('mlflow-artifacts:/1/model')).toBe('');
  expect(server.requests.filter((r) => r.path.endsWith('/MLmodel'))).toHaveLength(1);
  expect(server.requests.filter((r) => r.path.endsWith('/weights.bin'))).toHaveLength(2);
});

test('a tracking server cannot name a path, another server or a profile of this machine', () => {
  const program = join(import.meta.dirname, '../../../validation/model/download_model.py');
  const allowed = (uri: string, server: string | undefined, buckets = true) =>
    `is_allowed_location(${JSON.stringify(uri)}, ["https://models.acme.com/iris"], ${JSON.stringify(server ? [server] : [])}, ${server ? 'False' : 'True'}, ${buckets ? 'True' : 'False'})`;
  const server = 'https://mlflow.acme.com:443';
  const cases = {
    [allowed('s3://bucket/1/abc/artifacts', server)]: true,
    [allowed('gs://bucket/1', server)]: true,
    [allowed('mlflow-artifacts:/1/abc', server)]: true,
    [allowed('mlflow-artifacts://mlflow.acme.com/1/abc', server)]: true,
    [allowed('https://mlflow.acme.com/api/2.0/mlflow-artifacts/artifacts/1', server)]: true,
    [allowed('https://models.acme.com/iris/1', server)]: true,
    [allowed('models:/m-1', server)]: true,
    [allowed('/home/me/mlruns/1', undefined)]: true,
    [allowed('file:///home/me/mlruns/1', undefined)]: true,
    [allowed('s3://bucket/1/abc/artifacts', server, false)]: false,
    [allowed('mlflow-artifacts:/1/abc', server, false)]: true,
    [allowed('file:///etc', server)]: false,
    [allowed('/etc', server)]: false,
    [allowed('mlflow-artifacts://evil.com/1', server)]: false,
    [allowed('mlflow-artifacts://mlflow.acme.com@evil.com/1', server)]: false,
    [allowed('http://mlflow.acme.com/x', server)]: false,
    [allowed('https://models.acme.com/iris/../other', server)]: false,
    [allowed('https://models.acme.com/irises', server)]: false,
    [allowed('https://169.254.169.254/latest', server)]: false,
    [allowed('models://profile@databricks/iris/1', server)]: false,
    [allowed('dbfs://profile@evil/x', server)]: false,
    [allowed('sftp://host/x', server)]: false,
    [allowed('r2://bucket@evil.com/x', server)]: false,
    [allowed('hdfs:/x', undefined)]: false,
  };
  const script = `import runpy, sys\nsys.path.insert(0, ${JSON.stringify(dirname(program))})\nglobals().update(runpy.run_path(${JSON.stringify(program)}))\nimport json\nprint(json.dumps([${Object.keys(cases).join(', ')}]))`;
  const answers = JSON.parse(execFileSync('python3', ['-c', script], { encoding: 'utf8' })) as boolean[];
  expect(Object.keys(cases).map((text, i) => [text, answers[i]])).toEqual(Object.entries(cases));
});
