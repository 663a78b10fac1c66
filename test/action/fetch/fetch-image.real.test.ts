// The job that has the password of a container registry, and the job that runs the model that was there.
import { execFileSync } from 'node:child_process';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseReport } from '../../../schemas/report/report.ts';
import { codePath } from '../../../system/code.ts';
import { makeTar } from '../../images/pull/make-tar.ts';
import { startModelRegistry, USER } from '../../images/pull/model-registry.ts';
import { commit, makeWorkspace, runStepInProcess, type StepResult, writeFiles } from '../run-action.ts';

const FOLDER = await mkdtemp(join(tmpdir(), 'davit-fetch-image-'));
const MODEL = codePath('test', 'fixtures', 'models', 'p_flowers_1');
const workspace = makeWorkspace({ '.gitignore': '.davit/\n' });
const base = commit(workspace);
afterAll(async () => {
  for (const folder of [FOLDER, workspace]) await rm(folder, { recursive: true, force: true });
});

/** An image as it is built: with the files of the model, and nothing that Python has left beside them. */
function packModel(): Buffer {
  const files = globSync('**', { cwd: MODEL, withFileTypes: true }).filter((file) => file.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name)).filter((path) => !path.includes('__pycache__'));
  return makeTar(paths.map((path) => [join('models', relative(MODEL, path)), readFileSync(path)] as const));
}

/** Puts an endpoint with the model of a registry into the pull request. */
function declareEndpoint(host: string): void {
  const entity = '{ name: flowers, entity_name: flowers, entity_version: "1" }';
  const davit = `davit: { served_entities: { flowers: { model_uri: "oci://${host}/acme/iris:2" } } }`;
  const text = `name: flowers\nconfig: { served_entities: [${entity}] }\n${davit}\n`;
  writeFiles(workspace, { 'endpoints/flowers.yaml': text });
  commit(workspace);
}

const makeEvent = () => {
  const head = execFileSync('git', ['-C', workspace, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  return { pull_request: { number: 7, base: { sha: base }, head: { sha: head } } };
};
const readFirst = ({ outputs }: StepResult) =>
  parseReport(readFileSync(join(outputs['folder'] ?? '', 'report.json'), 'utf8')).endpoints[0];

it('reads a model with the password for its registry, which no other registry gets, and hands it to validate', async () => {
  const [ours, other] = [await startModelRegistry(), await startModelRegistry()];
  const image = { layers: [{ content: packModel() }] };
  for (const server of [ours, other]) server.push('2', image);
  const allowed = { DAVIT_MODEL_SOURCES: `oci://${ours.host} oci://${other.host}` };
  const login = { CONTAINER_REGISTRY_USERNAME: USER.username, CONTAINER_REGISTRY_PASSWORD: USER.password };
  const runFetch = (name: string) => {
    const place = join(FOLDER, name);
    execFileSync('git', ['clone', '--quiet', workspace, join(place, '.davit', 'pull-request')]);
    const env = { ...allowed, ...login, CONTAINER_REGISTRY: ours.host, RUNNER_TEMP: join(place, 'temp') };
    return runStepInProcess({ inputs: { command: 'fetch', environments: 'local' }, workspace: place, event: makeEvent(), env }); // prettier-ignore
  };
  declareEndpoint(other.host);
  const refused = await runFetch('other');
  expect(readFirst(refused)?.diagnostics[0]?.message, refused.log).toContain('access was denied');
  expect(other.requests.filter((line) => !line.endsWith(' -'))).toEqual([]);

  declareEndpoint(ours.host);
  const fetched = await runFetch('ours');
  expect({ code: fetched.code }, fetched.log).toEqual({ code: 0 });
  expect(readFirst(fetched), fetched.log).toMatchObject({ computed_lock: expect.any(String) as unknown, outage: null });
  expect(fetched.commands).toContain(`::add-mask::${USER.password}`);
  const said = fetched.log.split('\n').filter((line) => !line.startsWith('::add-mask::'));
  expect(said.filter((line) => line.includes(USER.password))).toEqual([]);
  expect(readdirSync(join(FOLDER, 'ours', 'temp')).filter((name) => name.includes('credentials'))).toEqual([]);

  const before = ours.requests.length;
  const proved = await runStepInProcess({
    inputs: {
      ...{ command: 'validate', environments: 'local', fetched: fetched.outputs['folder'] ?? '' },
      ...{ 'fetch-result': 'success', 'without-sandbox': String(process.env['DAVIT_WITHOUT_SANDBOX'] === '1') },
    },
    ...{ workspace, event: makeEvent(), env: allowed },
  });
  expect({ code: proved.code }, proved.log).toEqual({ code: 0 });
  expect(readFirst(proved)?.entities[0]?.proof?.cases[0]?.answer, proved.log).toBeDefined();
  expect(ours.requests.length, 'validate asks no registry').toBe(before);
});
