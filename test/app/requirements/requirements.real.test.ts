import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { updateModelRequirements } from '../../../app/requirements/update-model-requirements.ts';
import { requirements } from '../../../cli/verbs/requirements.ts';
import { SILENT } from '../../../system/progress.ts';
import { makeChildEnvironment, runProcess } from '../../../system/run-process.ts';
import { modelPython } from '../../runtime/start-server.ts';
import { makeModelFromCode, makeProject, writeFiles } from '../../validation/throw-away-project.ts';

/** A model that was logged without a package that it needs. */
const NEEDS_HUMANIZE = `
class Model:
    def predict(self, frame, params=None):
        import humanize
        return [len(humanize.intcomma(1000))] * len(frame)


def _load_pyfunc(path):
    return Model()
`;
const ENDPOINT = `# with comments
name: e
config:
  served_entities:
    - { name: a, entity_name: iris, entity_version: "1" } # one line
`;
const FILES = ['endpoints/e.yaml', 'endpoints/e.lock', 'models/iris/1/requirements.txt', 'models/iris/1/conda.yaml'];

it('davit requirements locks and proves what it writes, and writes nothing that fails', async () => {
  const root = await makeProject({});
  await makeModelFromCode(root, 'iris/1', NEEDS_HUMANIZE);
  await writeFiles(root, { 'endpoints/e.yaml': ENDPOINT });
  const readAll = () => Promise.all(FILES.map((file) => readFile(join(root, file), 'utf8').catch(() => undefined)));
  const run = (args: readonly string[], ...flags: readonly string[]) => {
    const options = Object.fromEntries(flags.map((flag) => [flag, true]));
    const { signal } = new AbortController();
    return requirements.run({ args: ['e', ...args], options, root, cwd: root, progress: SILENT, signal });
  };
  const before = await readAll();
  const dry = await run(['add', 'humanize==4.9.0'], 'dry-run');
  expect([dry.diagnostics, await readAll()]).toEqual([[], before]);
  expect(dry.text).toContain(
    'endpoints/e.yaml: would change\n  + humanize==4.9.0\nendpoints/e.lock: would change\n  + ',
  );
  const unlockable = await run(['add', 'humanize==4.9.0', 'numpy==0.0.1'], 'in-model');
  expect([unlockable.diagnostics.map((d) => d.code), await readAll()]).toEqual([['resolution-failed'], before]);
  const added = await run(['add', 'humanize==4.9.0']);
  expect(added.diagnostics).toEqual([]);
  expect(added.result).toMatchObject({ written: true, changes: [{ before: null, after: 'humanize==4.9.0' }] });
  expect(added.text).toContain('e/a: proved');
  const [endpoint, lock] = await readAll();
  expect(endpoint).toContain(`${ENDPOINT}davit:\n`);
  const removed = await run(['remove', 'humanize']);
  expect(removed.diagnostics.map((d) => d.code)).toEqual(['import-failed']);
  expect(removed.text).toContain(
    'endpoints/e.yaml: not written\n  - humanize==4.9.0\nendpoints/e.lock: not written\n  - humanize 4.9.0',
  );
  expect((await readAll()).slice(0, 2)).toEqual([endpoint, lock]);
  const inModel = await run(['add', 'humanize==4.9.0', 'skops==0.16.0'], 'in-model', 'without-proof');
  expect(inModel.diagnostics.map((d) => d.message)).toEqual([
    'Changed "humanize" in the model, but endpoints/e.yaml decides: davit.served_entities.a.requirements has it',
  ]);
  const [, relocked, text] = await readAll();
  expect([text?.includes('humanize==4.9.0'), relocked === lock]).toEqual([true, false]);
});

/** What MLflow's own function makes of a copy of the model for each case, and what both copies then require. */
const COMPARE = `
import json, sys, pathlib, yaml
import mlflow
from packaging.requirements import Requirement

def read(folder):
    folder = pathlib.Path(folder)
    conda = yaml.safe_load((folder / "conda.yaml").read_text())
    pip = next(d["pip"] for d in conda["dependencies"] if isinstance(d, dict))
    rest = [d for d in conda["dependencies"] if not isinstance(d, dict)]
    lines = (folder / "requirements.txt").read_text().splitlines()
    lists = [[str(Requirement(r)) for r in reqs if r] for reqs in (lines, pip)]
    return [*lists, rest, conda["channels"], (folder / "python_env.yaml").read_text()]

outcomes = []
for case in json.load(open(sys.argv[1])):
    try:
        for operation, lines in case["commands"]:
            mlflow.models.update_model_requirements(case["theirs"], operation, lines)
    except Exception as e:
        outcomes.append([type(e).__name__, read(case["theirs"]), read(case["ours"])])
    else:
        outcomes.append(["", read(case["theirs"]), read(case["ours"])])
print(json.dumps(outcomes))
`;

type Command = readonly [operation: 'add' | 'remove', lines: readonly string[]];

const CASES: readonly (readonly Command[])[] = [
  [['add', ['pandas==2.2.0']]],
  [['add', ['coolpackage[extra]==8.8.8', 'mlflow-skinny>=2.9, !=2.9.0']]],
  [['add', ['Pillow==10.2.0', ' scipy == 1.12.0 ']]],
  [['add', ['cool[a]', 'cool[b]==1.0', 'cool']]],
  [['add', ['torch==2.1.0; python_version < "3.12"']]],
  [['remove', ['numpy', 'pandas==9.9']]],
  [['remove', ['none']]],
  [
    ['add', ['pillow==10.2.0']],
    ['add', ['pillow==10.3.0']],
    ['remove', ['pillow']],
  ],
  [['add', ['not a requirement']]],
];

it('updateModelRequirements() writes what mlflow.models.update_model_requirements writes', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const folder = (i: number, whose: string) => join(root, `${whose} ${i}`);
  for (const i of CASES.keys())
    for (const whose of ['ours', 'theirs'])
      await cp(join(root, 'models', 'iris', '1'), folder(i, whose), { recursive: true });
  const errors: string[] = [];
  for (const [i, commands] of CASES.entries())
    for (const [operation, lines] of commands)
      await updateModelRequirements({ model_uri: folder(i, 'ours'), operation, requirement_list: lines }).catch(
        (e: unknown) => void errors.push(`${i}: ${(e as Error).message}`),
      );
  const cases = CASES.map((commands, i) => ({ commands, ours: folder(i, 'ours'), theirs: folder(i, 'theirs') }));
  const file = join(root, 'cases.json');
  await writeFile(file, JSON.stringify(cases));
  const env = makeChildEnvironment({ MLFLOW_DISABLE_TELEMETRY: 'true' });
  const { stdout, stderr } = await runProcess(await modelPython(), ['-c', COMPARE, file], { cwd: root, env });
  const outcomes = JSON.parse(stdout.trim().split('\n').at(-1) || JSON.stringify(stderr)) as readonly (readonly [
    error: string,
    theirs: unknown,
    ours: unknown,
  ])[];
  expect(outcomes.map(([, , ours]) => ours)).toEqual(outcomes.map(([, theirs]) => theirs));
  expect(outcomes.map(([error]) => error)).toEqual([...CASES.slice(1).map(() => ''), 'MlflowException']);
  expect(errors).toEqual([
    expect.stringMatching(/^8: Cannot add the requirement "not a requirement": .*expected NAME==VERSION/),
  ]);
});
