import { expect, test } from 'vitest';
import { checkLockedMlflow } from '../../../../validation/model/check-minimum-versions.ts';
import { explainResolution } from '../../../../validation/requirements/failures/explain-resolution.ts';
import { explainUnreadableWheel } from '../../../../validation/requirements/explain-wheel.ts';
import { keepRequiredHashes } from '../../../../validation/requirements/keep-hashes.ts';
import { parseRequirements } from '../../../../validation/requirements/parse-requirements.ts';
import type { WheelMetadata } from '../../../../validation/requirements/read-wheel.ts';
import { makeSubject } from '../../../../validation/subject.ts';
import { makeEndpoint } from '../../throw-away-project.ts';

/* What uv says, recorded, and what Davit makes of it. `answers`: by the first line that is resolved; others fail. */

const run = (code: number, stdout: string, stderr: string) => ({
  code,
  stdout,
  stderr,
  timedOut: false,
  signal: undefined,
});

async function explain(
  lines: string,
  message: string,
  answers: Readonly<Record<string, string>> = {},
  saved: Readonly<Record<string, string>> = {},
  built: readonly WheelMetadata[] = [],
) {
  const { requirements } = parseRequirements(lines, 'requirements.txt');
  const request = {
    ...{ requirements, constraints: [], python: '3.11', platform: 'x86_64-manylinux_2_28', modelFolder: '/m' },
    preferences: undefined,
    saved: new Map(Object.entries(saved)),
    built,
  };
  const compile = (wanted: readonly string[], ...[, sources = []]: readonly (readonly string[] | undefined)[]) => {
    if (sources.length > 0) return Promise.resolve(run(sources.includes('docopt') ? 0 : 1, '', ''));
    const answer = answers[wanted[0] ?? ''] ?? '';
    return Promise.resolve(answer.includes('==') && !answer.includes(' ') ? run(0, answer, '') : run(1, '', answer));
  };
  return explainResolution(request, message, compile);
}

const DOCOPT =
  'error: No solution found when resolving dependencies\n  cause: Because docopt==0.6.2 has no usable wheels and only docopt<=0.6.2 is available, we can conclude that docopt>=0.6.2 cannot be used.\n  And because num2words==0.5.10 depends on docopt>=0.6.2 and you require num2words==0.5.10, we can conclude that your requirements are unsatisfiable.\n\nhint: Wheels are required for `docopt`';
const WITHOUT_PARENT =
  'cause: Because all versions of docopt have no usable wheels, we can conclude that your requirements are unsatisfiable.';

test('says that a package of build_wheels has wheels only', async () => {
  const message =
    'cause: Because docopt==0.7 has no source distribution and you require docopt==0.7, we can conclude that your requirements are unsatisfiable.';
  const built = [{ name: 'docopt', requires: [], extras: [], python: undefined }];
  expect(await explain('docopt==0.7', message, {}, {}, built)).toEqual({
    why: 'build_wheels names docopt, but docopt==0.7 has wheels and no source distribution',
    hint: 'Remove docopt from build_wheels',
    about: 'docopt',
  });
});

test('names the requirement that brings a package without wheels, with its line', async () => {
  expect(await explain('numpy==2.4.6\nnum2words==0.5.10', DOCOPT)).toMatchObject({
    why: 'num2words==0.5.10 needs docopt>=0.6.2, and no version of docopt has a wheel for Python 3.11 on Linux',
    about: 'num2words',
    remove: 'num2words',
  });
});

test('finds that requirement also where uv does not name it, through several steps', async () => {
  const alone =
    'cause: Because docopt==0.6.2 has no usable wheels and b depends on docopt, we can conclude that b cannot be used. And because a==1 depends on b and you require a==1, we can conclude that your requirements are unsatisfiable.';
  expect(await explain('numpy==2.4.6\na==1', WITHOUT_PARENT, { 'a==1': alone })).toMatchObject({
    why: 'a==1 needs b, b needs docopt, and no version of docopt has a wheel for Python 3.11 on Linux',
    about: 'a',
  });
});

test('proposes a version of the requirement that does not need such a package', async () => {
  const found = await explain('num2words==0.5.10', DOCOPT, { num2words: 'num2words==0.5.6' });
  expect(found).toMatchObject({ add: 'num2words==0.5.6', about: 'num2words' });
  expect(found).not.toHaveProperty('remove');
});

test('proposes what has wheels for a package of the model that never has, and how to build one for any other', async () => {
  const none = (name: string) => `Because all versions of ${name} have no usable wheels and you require ${name}`;
  const wanted = { add: 'psycopg2-binary', remove: 'psycopg2', about: 'psycopg2' };
  const why =
    'psycopg2 has no wheel for Python 3.11 on Linux, expected psycopg2-binary, the package that has its content';
  expect(await explain('psycopg2==2.9.9', none('psycopg2'))).toEqual({ why, ...wanted }); // to build it would not help
  const pyspark = await explain('pyspark==3.5.5', none('pyspark'));
  expect(pyspark.hint).toContain('pip wheel --no-deps pyspark==3.5.5');
  const range = await explain('foo>=1,<2', none('foo'));
  expect(range.hint).toContain("pip wheel --no-deps 'foo>=1,<2'");
  expect(JSON.stringify(pyspark)).not.toContain('Choose a version');
  expect(pyspark.build).toBeUndefined(); // the index has no source distribution of it
  expect((await explain('docopt==0.6.2', none('docopt'))).build).toBe('docopt');
});

test('proposes the version that saved the model, if the other requirements allow it', async () => {
  const wheels = 'Because scikit-learn==0.21.3 has no wheels with a matching Python ABI tag and you require scikit-learn==0.21.3'; // prettier-ignore
  const missing = 'Because there is no version of scikit-learn==0.21.9 and you require scikit-learn==0.21.9';
  const newest = { 'scikit-learn': 'scikit-learn==1.9.1', 'scikit-learn==0.21.9': 'there is no version of it' };
  const answers = { ...newest, 'scikit-learn==1.5.2': 'scikit-learn==1.5.2' };
  const saved = { 'scikit-learn': '1.5.2' };
  expect((await explain('scikit-learn==0.21.3', wheels, answers, saved)).why).toContain('expected 1.5.2, which saved the model'); // prettier-ignore
  for (const [line, message] of [
    ['scikit-learn==0.21.3', wheels],
    ['scikit-learn==0.21.9', missing],
  ] as const) {
    // prettier-ignore
    expect(await explain(line, message, answers, saved)).toMatchObject({ add: 'scikit-learn==1.5.2' });
    expect(await explain(line, message, newest, saved)).toMatchObject({ add: 'scikit-learn==1.9.1' });
  }
});

test('says where indexes are configured for a package that no index has', async () => {
  const message = 'cause: Because acme-features was not found in the package registry and you require acme-features==1';
  const found = await explain('acme-features==1', message);
  expect(found).toMatchObject({ why: 'the index has no package named "acme-features"', remove: 'acme-features' });
  expect(found.hint).toContain('set UV_INDEX and its credentials where Davit runs');
  const indirect =
    'cause: Because b was not found in the package registry and a==1 depends on b, we can conclude that a==1 cannot be used.';
  expect(await explain('a==1', indirect)).toMatchObject({
    why: 'a==1 needs b, and the index has no package named "b"',
    about: 'a',
  });
});

test('locks only the hashes that the model requires, and refuses a package of which the index has none of them', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string, string];
  const { requirements } = parseRequirements(`numpy==2.4.6 --hash=${a} --hash=${c}\npandas`, 'requirements.txt');
  const numpy = { name: 'numpy', version: '2.4.6', hashes: [a, b] };
  const pandas = { name: 'pandas', version: '3.1.1', hashes: [b] };
  const kept = keepRequiredHashes([numpy, pandas], requirements);
  expect(kept).toEqual({ packages: [{ ...numpy, hashes: [a] }, pandas] });
  expect(keepRequiredHashes([{ ...numpy, hashes: [b] }], requirements)).toMatchObject({
    explanation: { why: 'no wheel of numpy 2.4.6 in the index has a hash that the model requires', about: 'numpy' },
  });
});

test('puts what else uv says on the line that it quotes', async () => {
  const found = await explain('numpy==2.4.6\nodd==1', 'error: something about odd==1');
  expect(found).toMatchObject({ about: 'odd', why: 'uv cannot resolve odd==1: error: something about odd==1' });
});

test.each([
  [
    'https://x.org/foo-1-py3-none-any.whl',
    'cause: dns error',
    'the wheel of foo cannot be downloaded from x.org: no server has this name',
  ],
  [
    'https://x.org/foo-1-py3-none-any.whl',
    'Failed to fetch: HTTP status client error (404 Not Found) for url',
    'the wheel of foo cannot be downloaded from x.org: it answers 404 Not Found',
  ],
  [
    'https://x.org/foo-1-py3-none-any.whl#sha256=a',
    'Hash mismatch for foo',
    'the wheel of foo is not the one of its hash in https://x.org/foo-1-py3-none-any.whl#sha256=a',
  ],
  [
    'code/foo-1-cp39-cp39-win_amd64.whl',
    'Because foo has no wheels with a matching platform tag',
    'the wheel foo-1-cp39-cp39-win_amd64.whl is for another Python or platform, expected one for Python 3.11 on Linux (x86_64)',
  ],
  [
    'code/foo-1-py3-none-any.whl',
    'Because foo has an invalid package format',
    'foo-1-py3-none-any.whl is not a wheel that can be read',
  ],
])('explains the wheel %s, of which uv says %s', (source, message, why) => {
  expect(explainUnreadableWheel({ source, name: 'foo' }, message, { why: 'uv', python: '3.11' })).toMatchObject({
    why,
  });
});

test.each([
  ['3.17.2', 'mlflow==3.17.2'],
  ['1.28.0', 'mlflow==2.17.2'],
  ['3.18.0.dev0', 'mlflow'],
  [undefined, 'mlflow==2.17.2'],
])('a model of MLflow %s that requires none is told %s', (mlflowVersion, add) => {
  const endpoint = makeEndpoint('e', { m: 'm/1' });
  const subject = makeSubject(endpoint, endpoint.entities[0]!);
  const model = { mlflowVersion, locate: () => ({ file: 'MLmodel', line: 3, column: 1 }) };
  const found = checkLockedMlflow(subject, model, [{ name: 'mlflow-tracing', version: '3.17.2' }]);
  expect(found).toMatchObject([{ code: 'requirements-missing', add, at: { line: 3 } }]);
  expect(checkLockedMlflow(subject, model, [{ name: 'mlflow-skinny', version: '3.17.2' }])).toEqual([]);
});
