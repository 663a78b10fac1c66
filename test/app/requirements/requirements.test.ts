import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { editEndpointText } from '../../../app/requirements/edit-endpoint-text.ts';
import { openModel } from '../../../app/requirements/list-requirements.ts';
import { type OPERATIONS, parseEdit } from '../../../app/requirements/parse-edit.ts';
import { updateModelRequirements } from '../../../app/requirements/update-model-requirements.ts';
import { requirements } from '../../../cli/verbs/requirements.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import { SILENT } from '../../../system/progress.ts';
import { writeFiles } from '../../validation/throw-away-project.ts';

const HEAD = `# the endpoint
name: iris
config:
  served_entities:
    - { name: a, entity_name: iris, entity_version: "1" } # the only one
`;
const TWO = HEAD.replace(
  '# the only one',
  `
    - { name: b, entity_name: iris, entity_version: "1" }
  traffic_config:
    routes: [{ served_entity_name: a, traffic_percentage: 100 }]`,
);
const CONDA = `channels:
- conda-forge
dependencies:
- python=3.11.7
- scikit-learn=1.5.2
- pip<=24.0 # the tool
- pip:
  # what it was trained with
  - mlflow-skinny==3.17.2
  - pandas==3.1.1
name: mlflow-env
`;
const MODEL = {
  MLmodel: 'flavors:\n  python_function: { loader_module: m, python_version: 3.11.7 }\n',
  'requirements.txt':
    '# trained with\nmlflow-skinny==3.17.2\nPandas==3.1.1  # tables\n--extra-index-url https://a.b\n-r more.txt',
  'more.txt': 'torch==2.1.0 \\\n  --hash=sha256:ab \\\n  --hash=sha256:cd\nshap==0.46.0\n',
  'conda.yaml': CONDA,
  'python_env.yaml': 'python: 3.11.7\nbuild_dependencies:\n- pip==24.0\ndependencies:\n- -r requirements.txt\n',
};

async function makeProject(text = HEAD, model: Readonly<Record<string, string>> = MODEL): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'davit-requirements-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await writeFiles(join(root, 'models', 'iris', '1'), model);
  await writeFiles(root, { 'endpoints/iris.yaml': text });
  return root;
}

/** The endpoint file after commands, each an operation and its requirements; or what is wrong with the last. */
async function edit(text: string, ...commands: readonly (readonly [(typeof OPERATIONS)[number], ...string[]])[]) {
  const root = await makeProject();
  let current = text;
  for (const [operation, ...lines] of commands) {
    const { endpoint } = parseEndpoint(current, 'endpoints/iris.yaml');
    const entity = endpoint?.entities[0];
    if (!endpoint || !entity) throw new Error(current);
    const { opened } = await openModel(endpoint, entity, { root });
    if (!opened) throw new Error('no model');
    const edited = editEndpointText(current, { endpoint, entity, opened }, parseEdit(operation, lines));
    if (!('text' in edited)) return edited.diagnostics.map((d) => [d.message, d.hint].join('\n')).join('\n');
    current = edited.text;
  }
  return current;
}

const withLists = (lists: string) => `${HEAD}davit:\n  served_entities:\n    a:\n      requirements:\n${lists}`;

it('writes additions and removals into the endpoint file, and undoing them gives the same file again', async () => {
  const added = await edit(HEAD, ['add', 'Pillow==10.2.0', 'scipy>=1,<2']);
  expect(added).toBe(withLists('        add:\n          - pillow==10.2.0\n          - scipy>=1,<2\n'));
  expect(await edit(added, ['remove', 'pillow==1.0', 'SciPy'])).toBe(HEAD);
  const removed = await edit(HEAD, ['remove', 'PANDAS']);
  expect(removed).toBe(withLists('        remove:\n          - pandas\n'));
  expect(await edit(removed, ['add', 'pandas==3.1.0'])).toBe(withLists('        add:\n          - pandas==3.1.0\n'));
  // What the model itself requires needs no entry.
  expect(await edit(removed, ['add', 'pandas==3.1.1'])).toBe(HEAD);
  expect(await edit(HEAD, ['add', 'pandas==3.1.0'], ['add', 'pandas==3.1.1'])).toBe(HEAD);
  expect(await edit(HEAD, ['remove', 'pandas'], ['remove', 'pandas'])).toBe(removed);
  // Neither an override nor the model's own requirement is left.
  expect(await edit(HEAD, ['add', 'pandas==3.1.0'], ['remove', 'pandas'])).toBe(removed);
});

it('removes the permission to build a package together with its requirement', async () => {
  const building = `${withLists('        add:\n          - docopt==0.6.2\n')}      build_wheels:\n        - docopt\n`;
  expect(await edit(building, ['remove', 'Docopt'])).toBe(HEAD);
  expect(
    await edit(`${HEAD}davit: { served_entities: { a: { build_wheels: [docopt] } } }\n`, ['remove', 'docopt']),
  ).toBe(HEAD);
});

it('replaces a requirement in its place, with all its variants, and keeps comments', async () => {
  const lists =
    '        # why\n        add:\n          - numpy==1 # old\n          - "numpy==2 ; python_version < \\"3.9\\""\n          - x==1\n';
  expect(await edit(withLists(lists), ['add', 'NumPy[a]==2.0', 'numpy[b]'])).toBe(
    withLists('        # why\n        add:\n          - numpy[a,b]==2.0 # old\n          - x==1\n'),
  );
});

it('refuses what it does not understand, and says what there is', async () => {
  expect(await edit(HEAD, ['remove', 'xgboost'])).toBe(
    'Cannot remove "xgboost" from the requirements of a in endpoints/iris.yaml: neither the file nor the model iris 1 requires it\nRequirements of the model: mlflow-skinny, pandas, torch, shap, scikit-learn',
  );
  const alias = `${TWO}davit:\n  served_entities:\n    b: &x { workers: one }\n    a: *x\n`;
  expect(await edit(alias, ['add', 'a[b]==1'])).toBe(
    'Cannot edit davit.served_entities.a.requirements in endpoints/iris.yaml: the file has a form that would be damaged, such as an alias\nWrite there by hand: { add: [ "a[b]==1" ] }',
  );
  for (const [operation, line, message] of [
    [
      'add',
      'pillow = 10',
      'Cannot add the requirement "pillow = 10": it is not written as pip reads it, expected NAME==VERSION',
    ],
    ['add', '', 'Cannot add the requirement "": '],
    ['remove', '-r x', 'Cannot remove the requirement "-r x": expected the name of a package'],
  ] as const)
    expect(() => parseEdit(operation, [line])).toThrow(message);
  expect(() => parseEdit('add', ['a==1', 'a==2'])).toThrow(
    'Cannot add both "a==1" and "a==2": expected one version of a',
  );
});

it('updateModelRequirements() edits the files of a model, where comments and options stay', async () => {
  const root = await makeProject();
  const update = (operation: 'add' | 'remove', ...lines: readonly string[]) =>
    updateModelRequirements({ model_uri: 'models/iris/1', operation, requirement_list: lines, cwd: root });
  const read = (file: string) => readFile(join(root, 'models', 'iris', '1', file), 'utf8');
  expect(await update('add', 'pandas==3.0.0', 'torch==2.2.0', 'Pillow==10.2.0')).toEqual({
    files: ['requirements.txt', 'more.txt', 'conda.yaml'],
    requirements: ['mlflow-skinny==3.17.2', 'pandas==3.0.0', 'pillow==10.2.0', 'torch==2.2.0', 'shap==0.46.0'],
    ignored: [],
  });
  expect(await read('requirements.txt')).toBe(
    '# trained with\nmlflow-skinny==3.17.2\npandas==3.0.0  # tables\n--extra-index-url https://a.b\n-r more.txt\npillow==10.2.0',
  );
  expect(await read('more.txt')).toBe('torch==2.2.0\nshap==0.46.0\n');
  expect(await read('conda.yaml')).toBe(
    CONDA.replace('  - pandas==3.1.1\n', '  - pandas==3.0.0\n  - torch==2.2.0\n  - pillow==10.2.0\n'),
  );
  expect(await read('python_env.yaml')).toBe(MODEL['python_env.yaml']);
  expect(await update('remove', 'torch', 'pillow', 'pandas', 'none')).toMatchObject({
    requirements: ['mlflow-skinny==3.17.2', 'shap==0.46.0'],
    ignored: ['none'],
  });
  expect(await read('conda.yaml')).toBe(CONDA.replace('  - pandas==3.1.1\n', ''));
});

it('updateModelRequirements() edits python_env.yaml where requirements stand there, and refuses what is no local model', async () => {
  const python = 'python: 3.11.7\ndependencies:\n- mlflow==3.17.2\n';
  const { MLmodel } = MODEL;
  const root = await makeProject(HEAD, { MLmodel, 'python_env.yaml': python });
  const update = (uri: string) =>
    updateModelRequirements({ model_uri: uri, operation: 'add', requirement_list: ['a==1'], cwd: root });
  expect((await update('models/iris/1')).files).toEqual(['python_env.yaml']);
  expect(await readFile(join(root, 'models/iris/1/python_env.yaml'), 'utf8')).toBe(`${python}- a==1\n`);
  await expect(update('models:/iris/1')).rejects.toThrow(
    'Cannot change the requirements of models:/iris/1: expected a local directory.',
  );
  await expect(update('models/none')).rejects.toThrow('Cannot find the model models/none: there is no directory');
  await rm(join(root, 'models/iris/1/python_env.yaml'));
  await expect(update('models/iris/1')).rejects.toThrow('it has neither requirements.txt nor conda.yaml');
});

function run(root: string, args: readonly string[], options: Readonly<Record<string, string | boolean>> = {}) {
  const { signal } = new AbortController();
  return requirements.run({ args, options, root, cwd: root, progress: SILENT, signal });
}

it('davit requirements lists what is resolved, and asks for the entity where there are several', async () => {
  const root = await makeProject(withLists('        add: [pandas==3.0.0, pillow==10.2.0]\n        remove: [shap]\n'));
  expect((await run(root, ['iris'])).text).toBe(
    [
      'iris/a (model iris 1): 5 requirements',
      '  mlflow-skinny==3.17.2',
      '  torch==2.1.0',
      '  pandas==3.0.0          replaces pandas==3.1.1 of the model',
      '  pillow==10.2.0         added by the endpoint file',
      '  scikit-learn==1.5.2.*',
      '  shap==0.46.0           removed by the endpoint file',
    ].join('\n'),
  );
  await writeFiles(root, { 'endpoints/iris.yaml': TWO });
  expect((await run(root, ['endpoints/iris.yaml', 'list'], { entity: 'b' })).result).toMatchObject({
    entities: [{ entity: 'b' }],
  });
  const wrong = [
    [['iris', 'add', 'x==1'], 'it has 2 served entities, expected --entity a or --entity b'],
    [['iris', 'add'], 'Cannot add nothing: expected requirements such as pillow==10.2.0'],
    [['add', 'iris', 'x==1'], 'expected the endpoint first, as in davit requirements iris add'],
    [['iris', 'upgrade'], 'Cannot do "upgrade" with requirements: expected list, add or remove'],
  ] as const;
  for (const [args, message] of wrong) await expect(run(root, args), args.join(' ')).rejects.toThrow(message);
  await expect(run(root, ['iris'], { entity: 'c' })).rejects.toThrow('expected a or b');
});

it('davit requirements looks for models in the registry of the environments', async () => {
  const root = await makeProject(HEAD.replace('"1"', '"7"'));
  const local = 'name: local\ntarget: local\nregistry: { uri: https://mlflow.acme.example }\n';
  await writeFiles(root, { 'environments/local.yaml': local });
  for (const args of [['iris'], ['iris', 'add', 'pillow==10.2.0']]) {
    const { diagnostics } = await run(root, args);
    expect(diagnostics.map((d) => d.code), args.join(' ')).toEqual(['registry-refused']); // prettier-ignore
  }
});
