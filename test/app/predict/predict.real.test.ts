import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { predict, type PredictionError, type PredictParameters } from '../../../app/predict/predict.ts';
import { findSandbox } from '../../../sandbox/sandbox.ts';
import { makeChildEnvironment, runProcess } from '../../../system/run-process.ts';
import { commitFiles, startGitServer } from '../../helpers/git-server.ts';
import { FIXTURES, modelPython } from '../../runtime/start-server.ts';
import { writeFiles } from '../../validation/throw-away-project.ts';

const isSandboxed = !('why' in (await findSandbox()));

/** Answers with what it was given: values, their types, a parameter, and what is installed. */
const ECHO = `
import os
from importlib import metadata

import pandas as pd


class Model:
    def predict(self, frame, params=None):
        print("the model prints")
        more = {"types": " ".join(str(t) for t in frame.dtypes), "factor": (params or {}).get("factor")}
        if "GREETING" in os.environ:
            more["humanize"] = next((d.version for d in metadata.distributions() if d.name == "humanize"), "")
            more["greeting"] = os.environ["GREETING"]
        return pd.DataFrame(frame).assign(**more)


def _load_pyfunc(path):
    return Model()
`;
const COLUMNS = [
  { type: 'string', name: 'name', required: true },
  { type: 'double', name: 'size', required: false },
  { type: 'long', name: 'count', required: true },
];
const MLMODEL = {
  flavors: { python_function: { loader_module: 'echo', code: 'code', python_version: '3.11.7' } },
  mlflow_version: '3.17.2',
  signature: {
    inputs: JSON.stringify(COLUMNS),
    outputs: null,
    params: '[{"name": "factor", "default": 1.0, "shape": null, "type": "double"}]',
  },
};

const RECORDS = [
  { name: 'a "b", c', size: 1.5, count: 1 },
  { name: 'ä\nö', size: 2.25, count: 2 },
];
const SPLIT = {
  dataframe_split: { columns: ['name', 'size', 'count'], data: [['a', null, 1]] },
  params: { factor: 2.5 },
};
const TABLE = 'name,size,count\n"a ""b"", c",0.1,1\nd,,2\n';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-predict-'));
  const model = join(folder, "it's a model");
  for (const file of ['requirements.txt', 'python_env.yaml', 'conda.yaml'])
    await cp(join(FIXTURES, 'models', 'p_flowers_1', file), join(model, file));
  await writeFiles(model, { MLmodel: JSON.stringify(MLMODEL), 'code/echo.py': ECHO });
  await writeFiles(folder, { "a 'request'.json": JSON.stringify(SPLIT), 'rows.csv': TABLE });
});
afterAll(() => rm(folder, { recursive: true }));

/** Calls mlflow.models.predict in this Python, once for each list of parameters; returns what each wrote, or its error. */
const COMPARE = `
import json, sys
import mlflow
outcomes = []
for i, parameters in enumerate(json.load(open(sys.argv[1]))):
    path = f"{sys.argv[1]}.{i}"
    try:
        mlflow.models.predict(**parameters, env_manager="local", output_path=path)
        outcomes.append(open(path).read())
    except Exception as e:
        outcomes.append(type(e).__name__)
print(json.dumps(outcomes))
`;

/** The same parameters for both. The MLflow of this comparison makes no virtualenv, which takes it minutes. */
const CASES: readonly Omit<PredictParameters, 'model_uri'>[] = [
  { input_data: { name: ['a', 'b'], size: [1.5, 2.5], count: [1, 2] }, content_type: 'json' },
  { input_path: "a 'request'.json", content_type: 'json' },
  { input_data: RECORDS, content_type: 'csv' },
  { input_path: 'rows.csv', content_type: 'csv' },
  { input_data: { name: ['a'] } },
];

it('predict() answers as mlflow.models.predict does, with every kind of input', async () => {
  const python = await modelPython();
  const parameters = CASES.map((each) => ({ ...each, model_uri: "it's a model" }));
  const file = join(folder, 'cases');
  await writeFile(file, JSON.stringify(parameters));
  const env = makeChildEnvironment({ MLFLOW_DISABLE_TELEMETRY: 'true' });
  const theirs = runProcess(python, ['-c', COMPARE, file], { cwd: folder, env });
  vi.stubEnv('VIRTUAL_ENV', dirname(dirname(python)));
  const printed: string[] = [];
  const ours = [];
  for (const [i, each] of parameters.entries()) {
    const own = {
      ...{ cwd: folder, env_manager: (['virtualenv', 'uv', 'local', 'virtualenv', 'uv'] as const)[i] },
      ...{ output_path: `${file}.${i}.ours`, on_progress: (line: string) => void printed.push(line) },
    };
    ours.push(
      await predict({ ...each, ...own }).then(
        async ({ answer }) => ({ answer, file: await readFile(own.output_path, 'utf8') }),
        (e: unknown) => (e as Error).message,
      ),
    );
  }
  vi.unstubAllEnvs();
  const { stdout, stderr } = await theirs;
  const outcomes = JSON.parse(stdout.trim().split('\n').at(-1) ?? stderr) as readonly string[];
  // Only these differ: MLflow writes NaN, which is not JSON, and reads a table without the types of the signature.
  const types = (text: string, i: number) =>
    CASES[i]?.content_type === 'csv' ? text.replaceAll('"str ', '"object ') : text;
  const expected = outcomes.map((text) => text.replaceAll('NaN', 'null')).map(types);
  expect(outcomes.map((text) => /\bNaN\b/.test(text))).toEqual([false, true, false, true, false]);
  expect(ours.slice(0, -1)).toEqual(expected.slice(0, -1).map((answer) => ({ answer, file: answer })));
  expect(expected.at(-1)).toBe('MlflowException');
  expect(ours.at(-1)).toMatch(
    /^it's a model\/MLmodel:1:1 error prediction-failed Cannot predict with it's a model: it rejects the input: .*count/,
  );
  expect(printed.filter((line) => line === 'the model prints')).toHaveLength(4);
  const replaced = 'Wrote null in the answer for 1 × NaN: JSON has no such numbers';
  expect(printed.filter((line) => line.startsWith('Wrote'))).toEqual([replaced, replaced]);
});

it('predict() tries other requirements without a trace of the ones before, and sets variables of the model', async () => {
  const parameters = {
    ...{ model_uri: "it's a model", cwd: folder, input_data: [RECORDS[0]], extra_envs: { GREETING: 'hello' } },
    pip_requirements_override: ['humanize==4.9.0'],
  };
  const tried = await predict(parameters);
  expect(tried.predictions).toMatchObject([{ humanize: '4.9.0', greeting: 'hello' }]);
  expect([tried.python.slice(0, 5), tried.mlflow]).toEqual(['3.11.', '3.17.2']);
  const { predictions } = await predict({ ...parameters, pip_requirements_override: [] });
  expect(predictions).toMatchObject([{ humanize: '' }]);
});

it.runIf(isSandboxed)(
  'predict() builds a requirement with the commit of a repository in the sandbox, once',
  async () => {
    const repositories = await mkdtemp(join(folder, 'repositories-'));
    const server = await startGitServer(repositories);
    onTestFinished(() => {
      vi.unstubAllEnvs();
      server.close();
    });
    vi.stubEnv('GIT_SSL_CAINFO', server.certificate);
    const outside = join(repositories, 'built-outside');
    // The build says how it was run: in the sandbox there are neither these variables nor a network.
    const setup = `
import os, socket
from setuptools import setup
try:
    socket.create_connection(("localhost", ${new URL(server.address).port}), 5)
    reached = "network"
except OSError:
    reached = "nothing"
open("humanize.py", "w").write(f"BUILT = {[reached, 'GIT_SSL_CAINFO' in os.environ]!r}")
try:
    open(${JSON.stringify(outside)}, "w").close()
except OSError:
    pass
setup(name="humanize", version="99.${process.pid}", py_modules=["humanize"])
`;
    const commit = commitFiles(repositories, 'humanize', { 'setup.py': setup });
    const source = `humanize @ git+${server.address}/humanize.git@${commit}`;
    const model = join(folder, 'committed');
    await cp(join(folder, "it's a model"), model, { recursive: true });
    const requirements = await readFile(join(model, 'requirements.txt'), 'utf8');
    await writeFiles(model, {
      'requirements.txt': `${requirements.trimEnd()}\n${source}\n`,
      'code/echo.py': `import humanize\n${ECHO.replace('os.environ["GREETING"]', 'str(humanize.BUILT)')}`,
    });
    const ask = (model_uri: string, override: readonly string[]) =>
      predict({
        ...{ model_uri, cwd: folder, input_data: [RECORDS[0]], extra_envs: { GREETING: '' } },
        pip_requirements_override: override,
      });
    const { predictions, diagnostics } = await ask('committed', []);
    expect(predictions).toMatchObject([{ humanize: `99.${process.pid}`, greeting: "['nothing', False]" }]);
    expect(diagnostics.filter((d) => d.code === 'package-built').map((d) => d.message)).toEqual([
      expect.stringContaining(`builds its wheel from the commit git+${server.address}/humanize.git@${commit}`),
    ]);
    const asked = server.logins.length;
    expect((await ask('committed', [])).predictions).toEqual(predictions);
    expect(server.logins).toHaveLength(asked);
    expect((await ask("it's a model", [source])).predictions).toMatchObject([{ humanize: `99.${process.pid}` }]);
    // Davit looks for further problems, but not with uv, which would clone the repository and run its setup.py here.
    const wrong = (await ask('committed', ['six==0.0.1']).catch((e: unknown) => e)) as PredictionError;
    expect(wrong.diagnostics.filter((d) => d.severity === 'error').map((d) => d.code)).toEqual(['resolution-failed']);
    expect(existsSync(outside)).toBe(false);
  },
);

/** Answers with what a service says. */
const CALLER = `
import os
import socket


class Model:
    def predict(self, frame, params=None):
        host, port = os.environ["SERVICE"].rsplit(":", 1)
        with socket.create_connection((host, int(port)), 20) as connection:
            return [connection.makefile().read()]


def _load_pyfunc(path):
    return Model()
`;

it('predict() lets a model reach a service that its caller names, and says how it was used', async () => {
  const model = join(folder, 'caller');
  for (const file of ['requirements.txt', 'python_env.yaml', 'conda.yaml'])
    await cp(join(FIXTURES, 'models', 'p_flowers_1', file), join(model, file));
  const { flavors, mlflow_version } = MLMODEL;
  await writeFiles(model, { MLmodel: JSON.stringify({ flavors, mlflow_version }), 'code/echo.py': CALLER });
  const server = createServer((client) => void client.on('error', () => undefined).end('hello')).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const service = `localhost:${port}`;
  const said: string[] = [];
  const ask = (network: readonly string[], to = service, without_sandbox?: boolean) =>
    predict({
      ...{ model_uri: 'caller', cwd: folder, input_data: [[1]], extra_envs: { SERVICE: to } },
      ...{ network, without_sandbox, on_progress: (line: string) => void said.push(line) },
    });
  const isAboutService = ({ code }: { readonly code: string }) => /^(?:prediction-failed|service-)/.test(code);
  if (isSandboxed) {
    const refused = (await ask([], 'service.example:443').catch((e: unknown) => e)) as PredictionError;
    expect(refused.diagnostics.filter(isAboutService).map((d) => [d.code, d.hint])).toEqual([
      ['prediction-failed', expect.stringContaining('with --network service.example:443, davit predict lets it;')],
    ]);
    const { predictions, network } = await ask(['LOCALHOST:1', service, service]);
    expect(predictions).toEqual(['hello']);
    expect(network).toMatchObject([
      { host: 'localhost', port: 1, connections: 0 },
      { host: 'localhost', port, connections: 1, receivedBytes: 5 },
    ]);
    expect(said).toContain(`The model could reach ${service} (1 connection, 0 bytes sent, 5 bytes received)`);
    const down = (await ask(['localhost:1'], 'localhost:1').catch((e: unknown) => e)) as PredictionError;
    expect(
      down.diagnostics.filter(isAboutService).map((d) => [d.severity, d.code, d.message.replace(/: the input.*/s, '')]),
    ).toEqual([
      ['error', 'prediction-failed', 'Cannot predict with caller'],
      ['warning', 'service-unreachable', 'The prediction with caller could not reach localhost:1 (ECONNREFUSED)'],
    ]);
  }
  for (let i = 0; i < 2; i++) expect((await ask([service], service, true)).predictions).toEqual(['hello']);
  expect(said.filter((line) => line.startsWith('Without a sandbox, a model has the whole network'))).toHaveLength(1);
});
