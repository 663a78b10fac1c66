import { createServer } from 'node:net';
import { appendFile, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import { checkModel } from '../../../validation/model/check-model.ts';
import type { Policy } from '../../../schemas/environment/policy.ts';
import { resolvePolicy } from '../../../validation/policy.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { makeEndpoint, makeProject, writeFiles } from '../throw-away-project.ts';

async function check(
  fixture: string,
  options: { edit?: (model: string) => Promise<void>; davit?: unknown; policy?: Policy } = {},
) {
  const root = await makeProject({ 'm/1': fixture });
  const folder = join(root, 'models', 'm', '1');
  await options.edit?.(folder);
  const endpoint = makeEndpoint('e', { m: 'm/1' }, options.davit ? { m: options.davit } : {});
  const policy = resolvePolicy(options.policy && [options.policy], {});
  return checkModel(makeSubject(endpoint, endpoint.entities[0]!), folder, { root, policy });
}

test('checkModel() passes good models and gives what is to be resolved', async () => {
  for (const fixture of ['iris/1', 'iris/2', 'a_sklearn', 'b_pyfunc_code', 'k_slow3s']) {
    const { checked, diagnostics } = await check(fixture);
    expect(diagnostics).toEqual([]);
    expect(checked?.pythonVersion).toBe('3.11.7');
  }
  expect((await check('iris/1')).checked?.requirements.map((r) => r.text)).toEqual([
    'mlflow-skinny==3.17.2',
    'numpy==2.4.6',
    'pandas==3.1.1',
    'scikit-learn==1.9.1',
    'skops==0.16.0',
  ]);
});

test('checkModel() puts what is wrong on the entity in the endpoint file', async () => {
  const { endpoint } = parseEndpoint(
    'name: e\nconfig:\n  served_entities:\n    - entity_name: m\n      entity_version: 1\n',
    'endpoints/e.yaml',
  );
  const root = await makeProject({ 'm/1': 'j1_sklearn_drift' });
  const { checked, diagnostics } = await checkModel(
    makeSubject(endpoint!, endpoint!.entities[0]!),
    join(root, 'models/m/1'),
    { root, policy: resolvePolicy() },
  );
  expect(checked?.requirements.map((r) => r.text)).toContain('scikit-learn==1.5.2'); // still to be resolved
  expect(diagnostics).toEqual([
    {
      code: 'version-drift',
      severity: 'error',
      file: 'endpoints/e.yaml',
      line: 4,
      column: 7,
      message: 'Cannot serve m 1 with scikit-learn 1.5.2: it was saved with 1.9.1, expected the same version',
      hint: 'Add "scikit-learn==1.9.1" to davit.served_entities.m-1.requirements.add in endpoints/e.yaml, then run npx davit lock e',
    },
  ]);
});

test('checkModel() says which pin an unpinned requirement needs where the policy demands one', async () => {
  const root = await makeProject({ 'm/1': 'iris/1' });
  await writeFiles(join(root, 'models/m/1'), {
    'requirements.txt': 'mlflow-skinny==3.17.2\nskops==0.16.0\nscikit-learn==1.9.1\npandas[x]>=2\nnumpy\n',
  });
  const endpoint = makeEndpoint('e', { m: 'm/1' });
  const { diagnostics } = await checkModel(makeSubject(endpoint, endpoint.entities[0]!), join(root, 'models/m/1'), {
    root,
    policy: resolvePolicy([{ unpinned_requirement: 'error' }], {}),
    packages: [{ name: 'pandas', version: '3.1.1', hashes: [] }],
  });
  const list = 'davit.served_entities.m.requirements.add in endpoints/e.yaml, then run npx davit lock e';
  expect(diagnostics.filter((d) => d.code === 'requirement-unpinned').map((d) => d.hint)).toEqual([
    expect.stringContaining(`Add "pandas[x]==3.1.1" to ${list}`),
    expect.stringContaining(`VERSION is the one that the model was trained with. Add "numpy==VERSION" to ${list}`),
  ]);
});

test('checkModel() accepts a model whose drift the endpoint file puts right', async () => {
  const { checked, diagnostics } = await check('j1_sklearn_drift', {
    davit: { requirements: { add: ['Scikit-Learn==1.9.1'], remove: ['scipy'] } },
  });
  expect(diagnostics).toEqual([]);
  expect(checked?.requirements.map((r) => r.text)).toEqual([
    'mlflow==3.17.2',
    'numpy==2.4.6',
    'pandas==3.1.1',
    'scikit-learn==1.9.1',
    'skops==0.16.0',
  ]);
});

test('checkModel() refuses edits that cannot be made', async () => {
  const { diagnostics } = await check('iris/1', { davit: { requirements: { add: ['a b'], remove: ['nothere'] } } });
  expect(diagnostics.map((d) => [d.code, d.message])).toEqual([
    ['requirement-invalid', 'Cannot remove "nothere" from the requirements of m 1: the model does not require it'],
    ['requirement-invalid', 'Cannot add "a b" to the requirements of m 1: expected NAME==VERSION'],
  ]);
});

test('checkModel() says everything at once', async () => {
  const { diagnostics } = await check('i_no_example', {
    edit: async (folder) => {
      await writeFile(join(folder, 'requirements.txt'), LINTS.trimStart());
      await writeFile(join(folder, 'python_env.yaml'), 'python: 3.9.18\n');
      await writeFile(
        join(folder, 'conda.yaml'),
        'channels:\n- defaults\ndependencies:\n- python=3.11.7\n- cudatoolkit=11.8\n- pip:\n  - mlflow\n',
      );
    },
  });
  const rows = diagnostics.map((d) => [d.severity, d.code, d.message.replaceAll('m 1', 'M')]);
  expect(rows.sort(byText)).toEqual(
    [
      [
        'warning',
        'anaconda-channel',
        'Found the conda channel "defaults" in M: Anaconda may ask for a commercial licence',
      ],
      [
        'warning',
        'conda-only-package',
        'Found "cudatoolkit=11.8" in conda.yaml of M: it is not installed, because the driver of the machine and the wheels that need it provide it',
      ],
      [
        'warning',
        'example-missing',
        'Found no input example in M: it is only loaded, and predicts nothing, expected one to predict with',
      ],
      [
        'error',
        'requirement-invalid',
        'Cannot install "git+https://…@github.com/a/b" for M: it contains credentials, expected none in a model',
      ],
      [
        'error',
        'requirement-invalid',
        'Cannot install "-e ../mine" for M: it is a path of the machine that logged it, expected a wheel inside the model',
      ],
      [
        'error',
        'requirement-invalid',
        'Cannot use "--extra-index-url https://…@example.com/simple": it contains credentials, expected none in a model',
      ],
      [
        'warning',
        'requirement-invalid',
        'Ignoring "--find-links https://example.com": a model cannot choose where packages come from',
      ],
      ['error', 'requirement-invalid', 'Cannot read "-r ../outside.txt": there is no such file in the model'],
      [
        'error',
        'requirement-invalid',
        'Cannot install "a @ git+https://github.com/a/b" for M: it names no commit of the repository, so what is installed could change, expected @ and the whole hash',
      ],
      [
        'error',
        'requirement-invalid',
        'Cannot install "b @ https://example.com/b.tar.gz" for M: it is not a wheel, expected one (.whl)',
      ],
      [
        'error',
        'requirement-invalid',
        'Cannot install "code/nope-1.0-py3-none-any.whl" for M: there is no such file in the model',
      ],
      [
        'error',
        'requirement-platform',
        'Cannot serve M with "pywin32==306": it is not for Linux, expected a package for Linux',
      ],
      [
        'warning',
        'requirement-platform',
        'Found "torch==2.1.2+cu118" in the requirements of M: only a special index has the build "+cu118"',
      ],
      [
        'warning',
        'requirement-unpinned',
        'Found "requests>=2" in the requirements of M: expected the exact version that the model was trained with',
      ],
      [
        'warning',
        'signature-missing',
        'Found no inputs and no outputs in the signature of M: requests are not checked, expected both inputs and outputs',
      ],
      [
        'error',
        'version-drift',
        'Cannot serve M with Python 3.9: it was saved with 3.11.7, expected the same minor version',
      ],
      [
        'error',
        'version-drift',
        'Cannot serve M with scikit-learn 1.5.2: it was saved with 1.9.1, expected the same version',
      ],
    ].sort(byText),
  );
  expect(JSON.stringify(diagnostics)).not.toContain('hunter2');
});

const byText = (a: readonly string[], b: readonly string[]) => (a.join() < b.join() ? -1 : 1);

const LINTS = `
requests>=2
scikit-learn==1.5.2
torch==2.1.2+cu118
pywin32==306
-e ../mine
--extra-index-url https://me:hunter2@example.com/simple
--find-links https://example.com
-r ../outside.txt
git+https://me:hunter2@github.com/a/b
a @ git+https://github.com/a/b
b @ https://example.com/b.tar.gz
code/nope-1.0-py3-none-any.whl
`;

test('checkModel() reads a model of MLflow 1.x: conda.yaml only, no python_env.yaml, an example without serving form', async () => {
  const { checked, diagnostics } = await check('iris/1', {
    edit: async (folder) => {
      for (const file of ['requirements.txt', 'python_env.yaml', 'serving_input_example.json'])
        await rm(join(folder, file));
      await writeFile(
        join(folder, 'MLmodel'),
        'artifact_path: model\nflavors:\n  python_function:\n    env: conda.yaml\n    loader_module: mlflow.sklearn\n    python_version: 3.8.10\n' +
          'run_id: abc\nsaved_input_example_info:\n  artifact_path: input_example.json\n  type: dataframe\n' +
          'signature:\n  inputs: \'[{"name": "x", "type": "double"}]\'\n  outputs: \'[{"type": "long"}]\'\nutc_time_created: \'2021-01-01\'\n',
      );
      await writeFile(
        join(folder, 'conda.yaml'),
        'channels:\n- conda-forge\ndependencies:\n- python=3.8.10\n- pip\n- pip:\n  - mlflow==2.10.0\n',
      );
    },
  });
  expect(diagnostics).toEqual([]);
  expect(checked?.pythonVersion).toBe('3.8.10');
  expect(checked?.requirements.map((r) => [r.text, r.at.file])).toEqual([['mlflow==2.10.0', 'conda.yaml']]);
});

test.each([
  ['Python 3.7', { 'python_env.yaml': 'dependencies:\n- pip\npython: 3.7.9\n' }, 'python_env.yaml:3'],
  ['Python 3.7', { 'conda.yaml': 'dependencies:\n- pip\n- python=3.7.9\n', 'python_env.yaml': '{}' }, 'conda.yaml:3'],
  ['mlflow 1.30.0', { 'requirements.txt': 'numpy==1.23\nmlflow==1.30.0\n' }, 'requirements.txt:2'],
  ['mlflow-skinny 2.9.2', { 'requirements.txt': 'mlflow-skinny==2.9.2\n' }, 'requirements.txt:1'],
])('checkModel() refuses %s, which is too old, on its line', async (what, files, line) => {
  const { diagnostics } = await check('iris/1', { edit: (folder) => writeFiles(folder, files) });
  const found = diagnostics.filter((d) => d.code === 'version-unsupported');
  expect(found.map((d) => d.message)).toEqual([
    `Cannot serve m 1 with ${what}: it is too old, expected ${what.startsWith('Python') ? '3.8' : '2.10'} or newer`,
  ]);
  expect(found[0]?.hint).toContain(`See ${line} of the model`);
});

test('checkModel() takes another Python from the endpoint file, except for a model with byte code', async () => {
  const old = { 'python_env.yaml': 'python: 3.7.9\ndependencies:\n- -r requirements.txt\n' };
  const python = (files: Readonly<Record<string, string>>, add: readonly string[]) =>
    check('iris/1', { edit: (folder) => writeFiles(folder, { ...old, ...files }), davit: { requirements: { add } } });
  const refused = (await python({}, [])).diagnostics.find((d) => d.code === 'version-unsupported');
  expect(refused?.hint).toMatch(/no security fixes since June 2023.*No file of the model has byte code/);
  expect(refused?.hint).toContain('Add "python==3.8" to davit.served_entities.m.requirements.add');
  const chosen = await python({ 'data.pkl': '(plain' }, ['python==3.8']);
  expect([chosen.checked?.pythonVersion, chosen.diagnostics]).toEqual(['3.8', []]);
  expect(chosen.checked?.requirements.map((r) => r.name)).not.toContain('python');
  for (const code of ['CodeType', '_create_code']) {
    const bound = await python({ 'python_model.pkl': `(${code}` }, ['python==3.8']);
    expect(bound.diagnostics.map((d) => d.message)).toContain(
      'Cannot run m 1 with Python 3.8: python_model.pkl has, or may have, byte code of Python 3.11.7',
    );
  }
  const vague = await python({}, ['python>=3.8']);
  expect(vague.diagnostics.map((d) => d.message)).toContain(
    'Cannot add "python>=3.8" to the requirements of m 1: expected a version, such as python==3.11',
  );
});

test('checkModel() takes the Python that saved the model, also with byte code, where python_env.yaml has another', async () => {
  const edit = (folder: string) =>
    writeFiles(folder, { 'python_env.yaml': 'python: 3.9.18\ndependencies: []\n', 'python_model.pkl': '(CodeType' });
  const [drift] = (await check('iris/1', { edit })).diagnostics;
  expect(drift?.code).toBe('version-drift');
  expect(drift?.hint).toContain('Add "python==3.11" to davit.served_entities.m.requirements.add');
  const repaired = await check('iris/1', { edit, davit: { requirements: { add: ['python==3.11'] } } });
  expect([repaired.checked?.pythonVersion, repaired.diagnostics]).toEqual(['3.11', []]);
});

test('checkModel() takes a newer MLflow from the endpoint file', async () => {
  const { diagnostics } = await check('iris/1', {
    edit: (folder) => writeFiles(folder, { 'requirements.txt': 'mlflow==1.30.0\nscikit-learn==1.9.1\n' }),
    davit: { requirements: { add: ['mlflow==2.17.2'] } },
  });
  expect(diagnostics.filter((d) => d.code === 'version-unsupported')).toEqual([]);
});

test('checkModel() follows -r and -c inside the model', async () => {
  const { checked, diagnostics } = await check('iris/1', {
    edit: async (folder) => {
      const text = await readFile(join(folder, 'requirements.txt'), 'utf8');
      await writeFiles(folder, {
        'requirements.txt': '-r requirements/base.txt\n-c constraints.txt\n',
        'requirements/base.txt': text,
        'constraints.txt': 'scipy==1.17.1\n',
      });
    },
  });
  expect(diagnostics).toEqual([]);
  expect(checked?.requirements).toHaveLength(5);
  expect(checked?.model.constraints.map((c) => c.text)).toEqual(['scipy==1.17.1']);
});

test.each([
  ['flavors: 3\n', 'model-unreadable', 'Cannot read the model: MLmodel: Cannot accept 3 for "flavors": expected a map'],
  [
    'flavors: {sklearn: {}}\n',
    'flavor-missing',
    'Cannot serve m 1: its flavors are sklearn, expected python_function among them',
  ],
  ['a: [\n', 'model-unreadable', /^Cannot read the model: MLmodel: Cannot read YAML/],
  [undefined, 'model-unreadable', 'Cannot read the model: there is no file MLmodel in its directory'],
])('checkModel() refuses the MLmodel %j', async (text, code, message) => {
  const { diagnostics } = await check('iris/1', {
    edit: (folder) => (text === undefined ? rm(join(folder, 'MLmodel')) : writeFile(join(folder, 'MLmodel'), text)),
  });
  const found = diagnostics.filter((d) => d.code === code);
  expect(found).toHaveLength(1);
  if (typeof message === 'string') expect(found[0]!.message).toBe(message);
  else expect(found[0]!.message).toMatch(message);
});

test('checkModel() says which part of a signature cannot be understood', async () => {
  const { diagnostics } = await check('iris/1', {
    edit: async (folder) => {
      const text = await readFile(join(folder, 'MLmodel'), 'utf8');
      await writeFile(join(folder, 'MLmodel'), text.replace('"dtype": "int64"', '"dtype": 64'));
    },
  });
  expect(diagnostics.map((d) => d.code)).toEqual(['signature-invalid']);
  expect(diagnostics[0]!.message).toMatch(/^Cannot parse the outputs in the signature of m 1: /);
});

const HOSTILE_FILES: readonly (readonly [string, (model: string) => Promise<unknown>, RegExp])[] = [
  [
    'a link as MLmodel',
    (m) => replace(m, 'MLmodel', (file) => symlink(join(m, '../../../secret'), file)),
    /the link MLmodel points outside/,
  ],
  ['a device', (m) => replace(m, 'MLmodel', (file) => symlink('/dev/zero', file)), /the link MLmodel points outside/],
  ['a socket', (m) => replace(m, 'MLmodel', listen), /MLmodel is neither/],
  ['a huge file', (m) => truncate(join(m, 'MLmodel'), 9 << 20), /MLmodel has \d+ bytes/],
  [
    'a link where the digest does not look',
    async (m) => {
      await mkdir(join(m, '__pycache__'));
      await symlink(join(m, '../../../secret'), join(m, '__pycache__', 'more.txt'));
      await appendFile(join(m, 'requirements.txt'), '\n-r __pycache__/more.txt\n');
    },
    /the link __pycache__\/more.txt points outside/,
  ],
];

async function listen(file: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(file, done));
  onTestFinished(() => void server.close());
}

async function replace(model: string, name: string, make: (file: string) => Promise<unknown>): Promise<void> {
  await rm(join(model, name));
  await make(join(model, name));
}

test.each(HOSTILE_FILES)('checkModel() neither reads nor quotes %s', async (_what, edit, message) => {
  const { checked, diagnostics } = await check('iris/1', {
    edit: async (model) => {
      await writeFile(join(model, '../../../secret'), 'key = TOPSECRET\nmore: [');
      await edit(model);
    },
  });
  expect(checked).toBeUndefined();
  expect(JSON.stringify(diagnostics)).toMatch(message);
  expect(JSON.stringify(diagnostics)).not.toContain('TOPSECRET');
});

test('checkModel() refuses a source that is not a wheel, also of a constraint', async () => {
  const { diagnostics } = await check('iris/1', {
    edit: async (model) => {
      await writeFile(join(model, 'bounds.txt'), 'numpy @ git+https://example.com/numpy\nhelper @ code\n');
      await writeFile(join(model, 'requirements.txt'), '-c bounds.txt\nnumpy==2.4.6\nhelper @ MLmodel\n');
    },
  });
  expect(diagnostics.map((d) => d.message)).toEqual([
    'Cannot use the constraint "numpy @ git+https://example.com/numpy": it is an address or a file, expected a version',
    'Cannot use the constraint "helper @ code": it is an address or a file, expected a version',
    'Cannot install "helper @ MLmodel" for m 1: it is not a wheel, expected one (.whl)',
  ]);
});

test('checkModel() installs what conda.yaml lists with pip, where pip certainly has it', async () => {
  const packages = ['scikit-learn=1.9.1', 'pytorch=2.1', 'libgomp', 'librosa', 'openjdk=11', 'numpy=1.2'];
  const list = ['python=3.11.7', ...packages].map((p) => `- ${p}\n`).join('');
  const edit = (folder: string) =>
    writeFiles(folder, {
      'requirements.txt': 'mlflow==3.17.2\nnumpy==2.4.6\nskops==0.16.0\n',
      'conda.yaml': `channels:\n- conda-forge\ndependencies:\n${list}- pip:\n  - mlflow==3.17.2\n`,
    });
  const { checked, diagnostics } = await check('a_sklearn', {
    edit,
    davit: { requirements: { add: ['torch==2.9.0'] } },
  });
  expect(checked?.requirements.map((r) => r.text)).toEqual([
    'mlflow==3.17.2',
    'numpy==2.4.6',
    'scikit-learn==1.9.1.*',
    'skops==0.16.0',
    'torch==2.9.0',
  ]);
  const found = diagnostics.map((d) => `${d.severity} ${/"[^"]*"/.exec(d.message)?.[0] ?? d.message}`);
  expect(found.sort()).toEqual([
    'error "librosa"',
    'error "openjdk=11"',
    'warning "libgomp"',
    'warning "scikit-learn=1.9.1"',
  ]);
});

/** A model without requirements.txt and python_env.yaml, as MLflow 1.x and people's own programs write it. */
async function checkConda(conda: string, files: Readonly<Record<string, string>> = {}, davit?: unknown) {
  return check('iris/1', {
    davit,
    edit: async (folder) => {
      for (const file of ['requirements.txt', 'python_env.yaml']) await rm(join(folder, file));
      await writeFiles(folder, { 'conda.yaml': conda, ...files });
    },
  });
}

test.each([
  ['python>=3.8', '3.11.7'],
  ['python >=3.9,<3.12', '3.11.7'],
  ['python', '3.11.7'],
  ['python=3', '3.11.7'],
  ['python=3.10|=3.11', '3.11.7'],
  ['python=3.11', '3.11'],
  ['conda-forge::python=3.11.4=h955ad1f_0', '3.11.4'],
  ['python>=3.12', '3.12'],
])(
  'checkModel() chooses for %s of conda.yaml the Python that saved the model, if it may: %s',
  async (python, version) => {
    const pip = '- pip:\n  - mlflow-skinny==3.17.2\n  - scikit-learn==1.9.1\n  - skops==0.16.0\n';
    const { checked, diagnostics } = await checkConda(`channels: [conda-forge]\ndependencies:\n- ${python}\n${pip}`);
    expect(checked?.pythonVersion).toBe(version);
    const drift = version === '3.12' ? ['version-drift'] : [];
    expect(diagnostics.map((d) => d.code)).toEqual(drift);
  },
);

test('checkModel() reads a Python that YAML takes for a number', async () => {
  const { checked } = await check('iris/1', {
    edit: (folder) =>
      writeFiles(folder, { 'python_env.yaml': 'python: 3.10\ndependencies: ["-r requirements.txt"]\n' }),
  });
  expect(checked?.pythonVersion).toBe('3.10');
});

test('checkModel() needs no pip list where conda.yaml or the endpoint file has the packages', async () => {
  const packages =
    'channels: [conda-forge]\ndependencies:\n- python=3.11\n- mlflow=3.17.2=py_0\n- scikit-learn=1.9.1\n';
  const { checked } = await checkConda(packages);
  expect(checked?.requirements.map((r) => r.text)).toEqual(['mlflow==3.17.2', 'scikit-learn==1.9.1.*']);
  const nothing = 'channels: [conda-forge]\ndependencies: [python=3.11]\n';
  const refused = (await checkConda(nothing)).diagnostics.find((d) => d.code === 'requirements-missing');
  expect(refused?.hint).toBe(
    'Without logging it again: list them in davit.served_entities.m.requirements.add in endpoints/e.yaml, with mlflow among them',
  );
  const add = ['mlflow-skinny==3.17.2', 'scikit-learn==1.9.1'];
  const repaired = await checkConda(nothing, {}, { requirements: { add } });
  expect([repaired.checked?.requirements.map((r) => r.text), repaired.diagnostics]).toEqual([add, []]);
});

test('checkModel() takes the word of the endpoint file where nothing says which Python saved the model', async () => {
  const mlmodel = 'flavors: {python_function: {loader_module: x}}\nsignature: {inputs: null, outputs: null}\n';
  const files = { MLmodel: mlmodel, 'python_model.pkl': '(CodeType', 'requirements.txt': 'mlflow==3.17.2\n' };
  const { diagnostics } = await checkConda('channels: [conda-forge]\n', files);
  expect(diagnostics.find((d) => d.code === 'requirements-missing')?.hint).toContain('such as python==3.11.7');
  const add = ['python==3.11'];
  expect((await checkConda('channels: [conda-forge]\n', files, { requirements: { add } })).checked?.pythonVersion).toBe(
    '3.11',
  );
});

test('checkModel() judges no requirement of another system or another Python', async () => {
  const { checked, diagnostics } = await check('iris/1', {
    edit: async (folder) => {
      const text = await readFile(join(folder, 'requirements.txt'), 'utf8');
      const others = [
        'scikit-learn==1.3.2 ; python_version < "3.9"',
        'mlflow==1.30.0 ; python_version == "3.7"',
        'helper @ git+https://github.com/a/b ; sys_platform == "win32"',
        'torch==2.1.2+cu118 ; platform_system == "Windows"',
        'colorama ; os_name == "nt"',
      ];
      await writeFile(join(folder, 'requirements.txt'), `${text}\n${others.join('\n')}\n`);
    },
  });
  expect(diagnostics).toEqual([]);
  expect(checked?.requirements).toHaveLength(10); // the lock has all of them
});

const CHANNELS: readonly (readonly [conda: string, found: string | undefined])[] = [
  ['channels: [conda-forge]\ndependencies: [pip]\n', undefined],
  ['channels: ["https://conda.anaconda.org/conda-forge", nodefaults]\ndependencies: [pip]\n', undefined],
  ['channels: [conda-forge, pytorch, nvidia]\ndependencies: [pytorch::pytorch]\n', undefined],
  ['channels:\n- conda-forge\n- https://repo.anaconda.com/pkgs/main\n', 'conda.yaml:3'],
  ['channels:\n- https://conda.anaconda.org/anaconda\n', 'conda.yaml:2'],
  ['channels: [conda-forge]\ndependencies:\n- pip\n- defaults::numpy=1.26\n', 'conda.yaml:4'],
  ['dependencies:\n- pip\n', 'conda.yaml:2'],
];

test.each(CHANNELS)("checkModel() knows Anaconda's own channels: %j", async (conda, place) => {
  const { diagnostics } = await check('iris/1', { edit: (folder) => writeFiles(folder, { 'conda.yaml': conda }) });
  const hints = diagnostics.filter((d) => d.code === 'anaconda-channel').map((d) => d.hint ?? '');
  expect(hints).toHaveLength(place === undefined ? 0 : 1);
  if (place === undefined) return;
  expect(hints[0]).toContain('with a conda_env whose channels are [conda-forge], or without conda_env');
  expect(hints[0]).toContain(`See ${place} of the model`);
});

test('checkModel() reports the packages of an exported conda environment together', async () => {
  const known = ['numpy', 'scipy', 'pandas', 'requests', 'networkx', 'click', 'jinja2', 'tqdm', 'pyyaml', 'six'];
  const inside = ['zlib', 'xz', 'tk', 'readline', 'ncurses', 'libffi', 'openssl', 'sqlite', 'bzip2', 'libgomp'];
  const other = Array.from({ length: 10 }, (_, i) => `acme-tool_${i}=1.${i}=py311_0`);
  const list = [...known.map((name) => `${name}=1.0=py311_0`), ...inside, 'openjdk=11', ...other];
  const conda = `channels: [conda-forge]\ndependencies:\n- python=3.11\n${list.map((p) => `- ${p}\n`).join('')}`;
  const { diagnostics } = await checkConda(conda);
  const found = diagnostics.filter((d) => d.code === 'conda-only-package');
  expect(found.map((d) => [d.severity, d.message.replaceAll('m 1', 'M')])).toEqual([
    [
      'warning',
      'Found 10 packages in conda.yaml of M that are installed with pip: numpy==1.0, scipy==1.0, pandas==1.0, requests==1.0, networkx==1.0 and 5 more',
    ],
    [
      'warning',
      expect.stringMatching(/^Found 10 packages in conda.yaml of M that are not installed, because only conda/),
    ],
    ['error', expect.stringMatching(/^Cannot install "openjdk=11" for M/)],
    [
      'error',
      'Cannot install 10 packages for M: they come from conda, expected packages that pip can install: acme-tool_0=1.0=py311_0, acme-tool_1=1.1=py311_0, acme-tool_2=1.2=py311_0, acme-tool_3=1.3=py311_0, acme-tool_4=1.4=py311_0 and 5 more',
    ],
  ]);
  const names = /requirements.remove: \[([^\]]+)\]/.exec(found[3]?.hint ?? '')?.[1]?.split(', ') ?? [];
  const repaired = await checkConda(conda, {}, { requirements: { remove: [...names, 'OpenJDK'] } });
  expect(repaired.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
});

test('checkModel() removes a conda package by its name in conda and in pip', async () => {
  const conda = 'channels: [conda-forge]\ndependencies: [python=3.11, mlflow, pytorch=2.1, opencv]\n';
  for (const remove of [
    ['torch', 'opencv'],
    ['pytorch', 'OpenCV_python-headless'],
  ]) {
    const { checked, diagnostics } = await checkConda(conda, {}, { requirements: { remove } });
    expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    expect(checked?.requirements.map((r) => r.text)).toEqual(['mlflow']);
  }
});
