import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { checkModel } from '../../../validation/model/check-model.ts';
import { makeFileFinder } from '../../../validation/requirements/check-source.ts';
import { resolvePolicy } from '../../../validation/policy.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { makeTemporaryFolder } from '../../../system/temporary-folder.ts';
import { makeEndpoint, writeFiles } from '../throw-away-project.ts';

/*
 * Every form of a line that pip and MLflow write or take in requirements.txt: what is resolved of it, or why not and what to
 * do. Nothing here starts uv; what uv finds is in lock-endpoint.real.test.ts.
 */

const PYTHON_ENV = 'python: 3.11.7\ndependencies:\n- -r requirements.txt\n';
const MLMODEL = `flavors:
  python_function: { loader_module: loader, python_version: 3.11.7 }
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "double"}]'
`;
const SHA = `sha256:${'a'.repeat(64)}`;
let root = '';

beforeAll(() => {
  root = makeTemporaryFolder('forms');
  return () => rm(root, { recursive: true });
});

async function check(files: Readonly<Record<string, string>>, davit: Readonly<Record<string, unknown>> = {}) {
  const folder = join(root, 'models', 'm', '1');
  await rm(folder, { recursive: true, force: true });
  const all = { MLmodel: MLMODEL, 'python_env.yaml': PYTHON_ENV, 'serving_input_example.json': '{}', ...files };
  await mkdir(dirname(folder), { recursive: true });
  await writeFiles(folder, all);
  const endpoint = makeEndpoint('e', { m: 'm/1' }, { m: { ...davit } });
  const found = await checkModel(makeSubject(endpoint, endpoint.entities[0]!), folder, {
    root,
    policy: resolvePolicy(),
  });
  const diagnostics = found.diagnostics.filter((d) => d.code !== 'requirement-unpinned');
  const messages = diagnostics.map((d) => `${d.severity} ${d.message.replaceAll('m 1', 'M')}`);
  return { ...found, messages, hints: diagnostics.map((d) => d.hint ?? '').join('\n') };
}

const TAKEN: readonly (readonly [line: string, text: string])[] = [
  ['requests [ socks , use_chardet ] == 2.32.3', 'requests[socks,use_chardet]==2.32.3'],
  ['humanize (==4.9.0)', 'humanize==4.9.0'],
  ['humanize>=4,<5,', 'humanize>=4,<5,'],
  ["humanize==4.9.0 ; python_version >= '3.8' and (os_name == 'posix' or extra == 'x')", ''],
  ['humanize==4.9.*', 'humanize==4.9.*'],
  ['humanize===4.9.0', 'humanize===4.9.0'],
  ['torch==2.1.0+cpu', 'torch==2.1.0+cpu'],
  [`humanize==4.9.0 --hash=${SHA} --hash=${SHA}`, 'humanize==4.9.0'],
  [`humanize==4.9.0 \\\n    --hash=${SHA}`, 'humanize==4.9.0'],
  ['humanize==4.9.0 --global-option="build_ext" --config-settings "a=b"', 'humanize==4.9.0'],
  ['humanize==4.9.0  # a comment', 'humanize==4.9.0'],
  ['\tHumanize==4.9.0\t', 'humanize==4.9.0'],
  ['https://example.com/foo-1.0-py3-none-any.whl', 'foo @ https://example.com/foo-1.0-py3-none-any.whl'],
  [
    'https://example.com/Foo_x-1.0-py3-none-any.whl#sha256=ab ; python_version > "3"',
    'foo-x @ https://example.com/Foo_x-1.0-py3-none-any.whl#sha256=ab ; python_version > "3"',
  ],
  ['./code/here-1.0-py3-none-any.whl', 'here @ code/here-1.0-py3-none-any.whl'],
  ['here @ code/here-1.0-py3-none-any.whl', 'here @ code/here-1.0-py3-none-any.whl'],
  ['-r more.txt', 'humanize==4.9.0'],
  ['-rmore.txt', 'humanize==4.9.0'],
  ['--requirement=more.txt', 'humanize==4.9.0'],
];

test.each(TAKEN)('takes %s', async (line, text) => {
  const files = { 'more.txt': 'humanize==4.9.0', 'code/here-1.0-py3-none-any.whl': '', 'requirements.txt': line };
  const { checked, messages } = await check(files);
  expect(messages.filter((m) => m.startsWith('error'))).toEqual([]);
  expect(checked?.requirements.map((r) => r.text)).toEqual([text || line]);
});

test.each(['mlflow==3.17.2\nnumpy', '\uFEFFmlflow==3.17.2\r\nnumpy\r\n', 'mlflow==3.17.2\rnumpy'])(
  'takes the lines of %j',
  async (text) => {
    const { checked } = await check({ 'requirements.txt': text });
    expect(checked?.requirements.map((r) => r.text)).toEqual(['mlflow==3.17.2', 'numpy']);
  },
);

const BUILD = 'Build a wheel of it: pip wheel --no-deps';
const REMOVE = 'requirements.remove in endpoints/e.yaml';
/** The line, what is said of it after "Cannot install "LINE" for M: ", and a part of the hint. */
const REFUSED: readonly (readonly [line: string, why: string, hint: string])[] = [
  [
    'foo @ git+https://github.com/a/b@0123abc',
    'it names only a part of the hash of a commit, expected @ and the whole hash',
    `in endpoints/e.yaml to let Davit build its wheel: git ls-remote https://github.com/a/b shows those of branches and tags. Or build a wheel of it: pip wheel --no-deps git+https://github.com/a/b@0123abc.`,
  ],
  [
    `foo @ git+https://github.com/a/b@${'ab'.repeat(20)}`,
    'it is a commit of a repository, and building its wheel would run code of the package',
    'Davit can build its wheel in the sandbox: add "foo" to davit.served_entities.m.build_wheels in endpoints/e.yaml. Or build',
  ],
  [
    'git+https://x/"; touch x; "/r.git',
    'it is a repository, expected a wheel, or git+https:// with the whole hash of a commit',
    `${BUILD} 'git+https://x/"; touch x; "/r.git'.`,
  ],
  [
    'dbfs:/x/"a"/foo-1.0-py3-none-any.whl',
    'it is a path of the Databricks workspace, expected a wheel inside the model',
    String.raw`code_paths=["dbfs:/x/\"a\"/foo-1.0-py3-none-any.whl"]`,
  ],
  [
    'git+https://github.com/a/b@v1.0#egg=foo&subdirectory=x',
    'it names a branch or a tag of the repository, which can be moved, expected @ and the whole hash',
    '"foo" to',
  ],
  [
    'git+https://github.com/a/b.git',
    'it names no commit of the repository, so what is installed could change, expected @ and the whole hash',
    '"b" to',
  ],
  [
    'git+ssh://git@github.com/a/b.git@main#egg=foo',
    'it is a repository, expected a wheel, or git+https:// with the whole hash of a commit',
    '"foo" to',
  ],
  [
    'git+git@github.com:a/b.git',
    'it is a repository, expected a wheel, or git+https:// with the whole hash of a commit',
    '"b" to',
  ],
  [
    '-e git+https://github.com/a/b@abc#egg=foo',
    'it names a branch or a tag of the repository, which can be moved, expected @ and the whole hash',
    '"foo" to',
  ],
  ['foo @ git+https://bob:hunter2@github.com/a/b', 'it contains credentials, expected none in a model', 'Rotate them'],
  ['git+https://hunter2@github.com/a/b', 'it contains credentials, expected none in a model', 'Rotate them'],
  ['https://example.com/foo-1.0.tar.gz', 'it is not a wheel, expected one (.whl)', '"foo" to'],
  ['https://github.com/a/b/archive/main.zip', 'it is not a wheel, expected one (.whl)', '"b" to'],
  [
    'http://x.org/a-1-py3-none-any.whl',
    'others on the network can change it, expected an address with https',
    BUILD.slice(0, 19),
  ],
  ['-e ../mine', 'it is a path of the machine that logged it, expected a wheel inside the model', `${BUILD} ../mine.`],
  ['./mine', 'it is not a wheel, expected one (.whl)', `${BUILD} ./mine.`],
  ['code/foo-1.0.tar.gz', 'it is a source distribution, expected a wheel (.whl)', `${BUILD} ./code/foo-1.0.tar.gz.`],
  [
    '/Workspace/Users/me/foo-1.0.tar.gz',
    'it is a path of the Databricks workspace, expected a wheel inside the model',
    BUILD,
  ],
  [
    '/dbfs/x/foo-1.0-py3-none-any.whl',
    'it is a path of the Databricks workspace, expected a wheel inside the model',
    'the requirement code/foo-1.0-py3-none-any.whl',
  ],
  [
    'dbfs:/x/foo-1.0-py3-none-any.whl',
    'it is a path of the Databricks workspace, expected a wheel inside the model',
    'code_paths=',
  ],
  [
    'foo @ file:///home/me/foo-1.0-py3-none-any.whl',
    'it is a path of the machine that logged it, expected a wheel inside the model',
    'code_paths=',
  ],
  [
    String.raw`C:\Users\me\foo-1.0-py3-none-any.whl`,
    'it is a path of Windows, expected a file inside the model',
    '"foo" to',
  ],
  [
    'numpy @ file:///croot/numpy_1682520569166/work',
    'conda wrote where it was built, which is not on this machine, expected NAME==VERSION',
    'pip list',
  ],
  [
    'numpy @ file:///home/conda/feedstock_root/build_artifacts/numpy_16/work/dist/numpy-1.22.3-cp39-cp39-linux_x86_64.whl#sha256=abc',
    'conda wrote where it was built, which is not on this machine, expected NAME==VERSION',
    'Add "numpy==1.22.3" to',
  ],
  [
    'dist/here-1.0-py3-none-any.whl',
    'there is no such file in the model, which has it as code/here-1.0-py3-none-any.whl',
    'Add "here @ code/here-1.0-py3-none-any.whl" to',
  ],
  ['code/foo-1.0-py3-none-any.whl', 'there is no such file in the model', 'code_paths='],
  [
    'sklearn==0.0',
    'the package is called scikit-learn',
    'Add "scikit-learn" to davit.served_entities.m.requirements.add and add "sklearn" to',
  ],
  ['pytorch', 'the package is called torch', 'Add "torch" to'],
  ['pkg_resources==0.0.0', 'it is not a package: Debian lists it by mistake, and no index has it', REMOVE],
  ['humanize=4.9.0=py_0', 'it is not written as pip reads it, expected NAME==VERSION', 'Add "humanize==4.9.0" to'],
  ['humanize 4.9.0', 'it is not written as pip reads it, expected NAME==VERSION', 'Add "humanize==4.9.0" to'],
  ['humanize==*', '"*" is not a version', REMOVE],
  ['torch>=2.0+cpu', 'only == can ask for a build such as "+cpu"', REMOVE],
  ['humanize~=4', '"~=4" needs two numbers, such as ~=4.0', REMOVE],
  ['humanize ; python_versio > "3"', 'its condition names "python_versio", which pip does not know', REMOVE],
  ['humanize ; python_version > "3', 'its condition has a quotation mark without an end', REMOVE],
  ['humanize ; (python_version > "3"', 'its condition has a parenthesis without its counterpart', REMOVE],
  ['humanize==${VERSION}', 'it contains the environment variable ${VERSION}, expected its value', REMOVE],
  [
    'foo @ https://${TOKEN}@x.org/foo-1.0-py3-none-any.whl',
    'it contains the environment variable ${TOKEN}, expected its value',
    REMOVE,
  ],
];

test.each(REFUSED)('refuses %s, and its name is enough to change that', async (line, why, hint) => {
  const files = {
    'code/here-1.0-py3-none-any.whl': '',
    'code/foo-1.0.tar.gz': '',
    'requirements.txt': `pandas==3.1.1\n${line}\n`,
  };
  const { checked, messages, hints, diagnostics } = await check(files);
  const errors = messages.filter((m) => m.startsWith('error'));
  expect(errors).toEqual([`error Cannot install "${line.replace(/[^/\s]*hunter2@/, '…@')}" for M: ${why}`]);
  expect(hints).toContain(hint);
  expect([checked, diagnostics[0]?.code]).toEqual([undefined, 'requirement-invalid']);
  expect(hints).toContain('See requirements.txt:2 of the model');
  const name = /"([\w.-]+)" to \S+remove/.exec(hints)?.[1] ?? /Add "([\w.-]+)/.exec(hints)?.[1] ?? '';
  const removed = await check(files, { requirements: { remove: [name] } });
  expect(removed.checked?.requirements.map((r) => r.text)).toEqual(['pandas==3.1.1']);
});

test('lists the files of a model once, whatever number of wheels is missing', async () => {
  const folder = makeTemporaryFolder('files');
  await writeFiles(folder, { 'code/a.whl': '', 'code/b.whl': '' });
  const files = makeFileFinder(folder);
  expect(await files('a.whl')).toBe(join('code', 'a.whl'));
  await rm(join(folder, 'code'), { recursive: true });
  expect(await files('b.whl')).toBe(join('code', 'b.whl'));
  expect(await files('c.whl')).toBeUndefined();
});

test.each([
  ['.', 'it is a folder of the machine that logged the model, expected a wheel inside the model'],
  ['-e .', 'it is a folder of the machine that logged the model, expected a wheel inside the model'],
  ["'humanize==4.9.0'", 'expected NAME==VERSION'],
  ['- humanize==4.9.0', 'expected NAME==VERSION'],
  ['two words here', 'expected NAME==VERSION'],
  ['humanize\u200b==4.9.0', 'it contains the invisible character U+200B'],
])('refuses %s, which has no name', async (line, why) => {
  const { messages } = await check({ 'requirements.txt': line });
  expect(messages).toEqual([`error Cannot parse the requirement "${line}": ${why}`]);
});

const SETTINGS = /set UV_INDEX, and its credentials, where Davit runs/;

test.each([
  [
    '--extra-index-url https://x.org/simple',
    'warning Ignoring "--extra-index-url https://x.org/simple": a model cannot choose where packages come from',
  ],
  [
    '-ihttps://x.org/simple',
    'warning Ignoring "-i https://x.org/simple": a model cannot choose where packages come from',
  ],
  [
    '--extra-index-url https://${USER}:${TOKEN}@x.org/simple',
    'warning Ignoring "--extra-index-url https://${USER}:${TOKEN}@x.org/simple": a model cannot choose where packages come from',
  ],
  [
    '--extra-index-url https://bob:hunter2@x.org/simple',
    'error Cannot use "--extra-index-url https://…@x.org/simple": it contains credentials, expected none in a model',
  ],
])('says of %s where indexes are configured, unless this one is', async (line, message) => {
  const files = { 'requirements.txt': `${line}\nnumpy==2.4.6\n` };
  const { messages, hints } = await check(files);
  expect(messages).toEqual([message]);
  expect(hints).toMatch(SETTINGS);
  vi.stubEnv('UV_INDEX', 'https://other.org/simple acme=https://me:secret@x.org/simple/');
  const configured = await check(files);
  vi.unstubAllEnvs();
  expect(configured.messages).toEqual(message.startsWith('error') ? [message] : []);
});

test.each([
  ['--pre', ['warning Ignoring "--pre": a version before a release is installed only where a requirement names it']],
  ['--no-binary :all:', ['warning Ignoring "--no-binary :all:": Davit installs wheels only']],
  ['--only-binary=:all:', []],
  ['--prefer-binary', []],
  ['--require-hashes', []],
  ['-r requirements.txt', ['error Cannot read "-r requirements.txt": the file includes itself']],
  [
    '-r https://x.org/r.txt',
    ['error Cannot read "-r https://x.org/r.txt": it is an address, expected a file in the model'],
  ],
  ['-c missing.txt', ['error Cannot read "-c missing.txt": there is no such file in the model']],
  [
    '-c bounds.txt',
    ['error Cannot use the constraint "numpy=2": it is not written as pip reads it, expected NAME==VERSION'],
  ],
])('says of the option %s: %j', async (line, expected) => {
  const { messages } = await check({ 'requirements.txt': `${line}\nnumpy==2.4.6\n`, 'bounds.txt': 'numpy=2\n' });
  expect(messages).toEqual(expected);
});

test.each([
  [
    'scikit-learn=0.21.3',
    'scikit-learn==1.9.1',
    'the model was saved with 1.9.1, so "scikit-learn==1.9.1" is installed with pip',
  ],
  ['scikit-learn=1.9', 'scikit-learn==1.9.*', 'it is installed with pip, as "scikit-learn==1.9.*"'],
  ['scikit-learn>=1,<2', 'scikit-learn>=1,<2', 'it is installed with pip, as "scikit-learn>=1,<2"'],
  ['cloudpickle=3.1.0', 'cloudpickle==3.1.0.*', 'it is installed with pip, as "cloudpickle==3.1.0.*"'],
  [
    'cloudpickle=2.2.1',
    'cloudpickle==3.1.3',
    'the model was saved with 3.1.3, so "cloudpickle==3.1.3" is installed with pip',
  ],
  ['xgboost=1.0.0', 'xgboost==1.0.0.*', 'it is installed with pip, as "xgboost==1.0.0.*"'],
])(
  'takes the version that saved the model where conda.yaml has one that cannot load it: %s',
  async (spec, text, why) => {
    const { messages, checked } = await check({
      MLmodel: MLMODEL.replace(
        'python_version: 3.11.7 }',
        'python_version: 3.11.7, cloudpickle_version: 3.1.3 }\n  sklearn: { sklearn_version: 1.9.1 }\n  xgboost: { xgb_version: 3.0.0 }',
      ),
      'requirements.txt': 'mlflow==3.17.2\n',
      'conda.yaml': `dependencies:\n- ${spec}\n- pip:\n  - mlflow==3.17.2\n`,
    });
    expect(checked?.requirements.map((r) => r.text).filter((t) => !t.startsWith('mlflow'))).toEqual([text]);
    expect(messages).toContain(`warning Found "${spec}" in conda.yaml of M: ${why}`);
  },
);

test('takes what python_env.yaml itself lists, and places what conda.yaml lists', async () => {
  const own = 'python: 3.11.7\ndependencies:\n- mlflow-skinny==3.17.2\n- numpy==2.4.6 # why\n';
  const alone = await check({ 'python_env.yaml': own });
  expect(alone.messages).toEqual([]);
  expect(alone.checked?.requirements.map((r) => [r.text, r.at.file, r.at.line])).toEqual([
    ['mlflow-skinny==3.17.2', 'python_env.yaml', 3],
    ['numpy==2.4.6', 'python_env.yaml', 4],
  ]);
  const both = await check({ 'python_env.yaml': own, 'requirements.txt': 'numpy==2.4.5\n' });
  expect(both.checked?.requirements.map((r) => r.text)).toEqual(['mlflow-skinny==3.17.2', 'numpy==2.4.5']);
  const conda = 'dependencies:\n- python=3.11.7\n- pip:\n  - mlflow==3.17.2\n  - two words here\n  - -e .\n';
  const { hints } = await check({ 'conda.yaml': conda });
  expect(hints).toMatch(/See conda.yaml:5 of the model[^]*See conda.yaml:6 of the model/);
});

test('says how a model with only uv.lock gets its requirements', async () => {
  const { messages, hints } = await check({ 'uv.lock': 'version = 1\n', 'pyproject.toml': '[project]\n' });
  expect(messages.join()).toContain('error Cannot install the packages of M');
  expect(hints).toContain('uv export --frozen --no-dev --no-emit-project');
});
