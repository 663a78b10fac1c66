import { expect, test, vi } from 'vitest';
import { renderComparison } from '../../../review/render-comparison.ts';
import { comparison as schema } from '../../../schemas/report/comparison.ts';
import { queryCard } from '../../../validation/card/query-card.ts';
import { makeRegistryPages } from '../../../validation/card/make-registry-pages.ts';
import { compareModelCards } from '../../../validation/comparison/read-model-card.ts';
import { codePath } from '../../../system/code.ts';
import { SILENT } from '../../../system/progress.ts';
import { NO_ANSWER, readRegistryCard } from '../../../validation/card/read-registry-card.ts';
import type { Subject } from '../../../validation/subject.ts';

const RUN = { run: 'a1', experiment: '7' };
const NAMED = [{ uri: 'https://mlflow.acme.example/team/', file: 'environments/production.yaml' }];

test.each([
  ['https://me:secret@mlflow.acme.example/team', 'iris', {}, 'https://mlflow.acme.example/team/#/models/iris/versions/2', 'https://mlflow.acme.example/team/#/experiments/7/runs/a1'], // prettier-ignore
  ['https://mlflow.acme.example/team', 'a)](b|c', {}, 'https://mlflow.acme.example/team/#/models/a%29%5D%28b%7Cc/versions/2', 'https://mlflow.acme.example/team/#/experiments/7/runs/a1'], // prettier-ignore
  ['databricks', 'iris', { DATABRICKS_HOST: 'acme.cloud.databricks.com' }, 'https://acme.cloud.databricks.com/#mlflow/models/iris/versions/2', 'https://acme.cloud.databricks.com/#mlflow/experiments/7/runs/a1'], // prettier-ignore
  ['databricks-uc', 'main.garden.iris', { DATABRICKS_HOST: 'https://acme.cloud.databricks.com/' }, 'https://acme.cloud.databricks.com/explore/data/models/main/garden/iris/version/2', 'https://acme.cloud.databricks.com/#mlflow/experiments/7/runs/a1'], // prettier-ignore
  ['databricks', 'iris', {}, null, null],
  ['databricks://profile', 'iris', { DATABRICKS_HOST: 'https://other.example' }, null, null],
  ['uc:https://catalog.acme.example', 'main.garden.iris', {}, null, null],
])('makeRegistryPages() makes the pages of %s for %s', (registry, name, variables, model, run) => {
  expect(makeRegistryPages({ registry }, { name, version: '2', ...RUN }, NAMED, variables)).toEqual({ model, run });
});

test('a registry that no file names has no address in a report, and a wrong id makes no link', () => {
  const registry = 'https://mlflow.acme.example/team';
  expect(makeRegistryPages({ registry }, { name: 'iris', version: '2', ...RUN }, [], {})).toEqual({ model: null, run: null }); // prettier-ignore
  const wrong = { name: 'iris', version: '2', run: 'a1) [x](https://evil', experiment: '7' };
  expect(makeRegistryPages({ registry }, wrong, NAMED, {}).run).toBeNull();
});

test('a registry that does not answer is queried once, and one that refuses a version again', async () => {
  const answer = (stderr: string, timedOut = false) => ({ code: 1, signal: undefined, stdout: '', stderr, timedOut });
  const count = async (registry: string, run: ReturnType<typeof answer>) => {
    let queries = 0;
    const connection = { kind: 'tracking', tracking: registry, registry } as const;
    const query = () => Promise.resolve(((queries += 1), run));
    for (let i = 0; i < 3; i += 1) expect((await queryCard({ connection } as never, query)).code).toBe(1);
    return queries;
  };
  expect(await count('https://hangs.example', answer('', true))).toBe(1);
  expect(await count('https://refuses.example', answer('noise\n{"kind": "unreachable"}'))).toBe(1);
  expect(await count('https://down.example', answer('{"kind": "unavailable"}'))).toBe(1);
  expect(await count('https://denies.example', answer('{"kind": "denied", "registry": true}'))).toBe(3);
});

const MODELS = { old: codePath('models', 'iris', '1'), new: codePath('models', 'iris', '2') };

test('the card shows who registered both versions and their metrics, and the rest only where it differs', async () => {
  const registered = {
    old: new Map([
      ['registered by', 'ada'],
      ['run', 'a1'],
      ['metrics.f1', '0.9'],
      ['params.depth', '4'],
    ]),
    new: new Map([['registered by', 'ada'], ['run', 'a2'], ['metrics.f1', '0.9'], ['params.depth', '4'], ['tags.x', '|`<b>']]), // prettier-ignore
  };
  const card = await compareModelCards(MODELS, registered);
  expect(card.slice(0, 4)).toEqual([
    { field: 'registered by', old: 'ada', new: 'ada' },
    { field: 'run', old: 'a1', new: 'a2' },
    { field: 'metrics.f1', old: '0.9', new: '0.9' },
    { field: 'tags.x', old: null, new: '|`<b>' },
  ]);
  expect(card.map((row) => row.field)).not.toContain('params.depth');
  const page = (run: string) => ({ model: 'https://m.example/#/models/iris', run: `https://m.example/#/runs/${run}` });
  const comparison = schema.parse({
    ...{ entity: 'm', model: 'iris 1', breaking: null, signature: [], predictions: null, note: null, card },
    packages: { changes: [], python: { old: '3.11', new: '3.11' }, mlflow: { old: null, new: null }, bytes: null, advisories: null }, // prettier-ignore
    pages: { old: page('a1'), new: page('a2') },
  });
  const level = { changes: 1, packages: 1, rows: 1, fields: 9, characters: 60 };
  const text = renderComparison(comparison, 'iris 2', level);
  expect(text).toContain('| model | [`iris 1`](https://m.example/#/models/iris) | [`iris 2`](https://m.example/#/models/iris) |'); // prettier-ignore
  expect(text).toContain('| `run` | [`a1`](https://m.example/#/runs/a1) | [`a2`](https://m.example/#/runs/a2) |');
  expect(text).toContain('| `tags.x` | – | ``¦`<b>`` |');
  expect(schema.safeParse({ ...comparison, pages: { old: page('a'), new: page(')](x') } }).success).toBe(false);
});

test.each([
  ['a failure before the program starts', () => Promise.reject(new Error('Cannot find Python 3.12'))],
  ['something else than JSON', () => Promise.resolve({ code: 0, stdout: 'Traceback', stderr: '' })],
  ['an exit code', () => Promise.resolve({ code: 1, stdout: '', stderr: 'no route to https://me:secret@host' })],
])('a registry card that ends with %s is reported and ends no review', async (_, answer) => {
  const entity = { name: 'iris', model: { name: 'iris', version: '1' } };
  const subject = { label: 'iris 1', entity, alone: false } as unknown as Subject;
  const said: string[] = [];
  const progress = { ...SILENT, say: (text: string) => void said.push(text) };
  const options = { root: '/', progress, registries: [] };
  vi.stubEnv('MLFLOW_REGISTRY_URI', 'https://mlflow.acme.example');
  const model = { name: 'iris', version: '1', digest: 'sha256:0', python_version: '3.11' };
  expect(await readRegistryCard(subject, model as never, options, answer as never)).toBe(NO_ANSWER);
  expect(said.join('\n')).toContain('The registry gave no answer about iris 1: ');
  expect(said.join('\n')).not.toContain('secret');
  const card = await compareModelCards(MODELS, { old: NO_ANSWER.fields, new: NO_ANSWER.fields });
  expect(card[0]).toEqual({ field: 'registry', old: 'gave no answer', new: 'gave no answer' });
  vi.unstubAllEnvs();
});

test('an interruption is no answer of the registry', async () => {
  const download = () => Promise.reject(new Error('stopped'));
  vi.stubEnv('MLFLOW_REGISTRY_URI', 'https://mlflow.acme.example');
  const subject = { label: 'iris 1', entity: { name: 'iris', model: {} }, alone: false } as unknown as Subject;
  const options = { root: '/', registries: [], signal: AbortSignal.abort(new Error('interrupted')) };
  await expect(readRegistryCard(subject, { name: 'iris', version: '1' } as never, options, download)).rejects.toThrow(
    'interrupted',
  );
  vi.unstubAllEnvs();
});
