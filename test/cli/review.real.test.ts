import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compareFingerprints } from '../../review/fingerprint.ts';
import { parseReport } from '../../schemas/report/report.ts';
import { lockProject } from './lock-project.ts';
import { runDavit } from './run-davit.ts';
import { makeWorkingProject } from './working-project.ts';

const CODE = dirname(dirname(import.meta.dirname));
const ANSWER = '{"predictions": ["setosa", "versicolor", "virginica"]}';
let root = '';
let remove: () => Promise<void>;

beforeAll(async () => {
  ({ root, remove } = await makeWorkingProject({
    'iris/1': join(CODE, 'test/fixtures/models/p_flowers_1'),
    'iris/2': join(CODE, 'test/fixtures/models/p_flowers_2'),
    'bad/raises': join(CODE, 'test/fixtures/models/h_raises'),
  }));
});
afterAll(async () => {
  await davit('down', '--all');
  await remove();
});

const davit = (...args: readonly string[]) => runDavit(root, ...args);

async function review(...args: readonly string[]) {
  const { status, stdout } = await davit('review', '--json', ...args);
  return { status, report: parseReport(JSON.stringify((JSON.parse(stdout) as { readonly result: unknown }).result)) };
}

function git(...args: readonly string[]) {
  execFileSync('git', ['-C', root, '-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false', ...args]);
}

async function declare(endpoint: string, model: string, version: string, breaking?: string) {
  const text = `name: ${endpoint}\nconfig:\n  served_entities:\n    - name: ${endpoint}\n      entity_name: ${model}\n      entity_version: "${version}"\n`;
  const reason = breaking === undefined ? '' : `davit:\n  breaking: ${breaking}\n`;
  await writeFile(join(root, 'endpoints', `${endpoint}.yaml`), text + reason);
}

it('davit review tells of every endpoint of a branch: one fails, one is new, then one is rolling, then removed', async () => {
  await writeFile(join(root, '.gitignore'), '.davit/\n');
  await declare('iris', 'iris', '1');
  await lockProject(root);
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'first');
  git('checkout', '-q', '-b', 'work');

  await declare('fresh', 'iris', '2');
  await declare('raises', 'bad', 'raises');
  await lockProject(root, 'fresh', 'raises');
  const first = await davit('review');
  expect(first).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('### 2 endpoints: 1 fails, 1 new\n') as string,
    stderr: expect.stringContaining('prediction-failed') as string,
  });
  expect(await review('fresh')).toMatchObject({
    status: 0,
    report: {
      endpoints: [
        {
          change: 'added',
          lock: 'up-to-date',
          entities: [{ model: 'iris 2', proof: { cases: [{ origin: 'example', answer: ANSWER }] } }],
          previews: [{ environment: 'local', plan: { verdict: { kind: 'create' } }, outage: null }],
        },
      ],
    },
  });
  for (const name of ['fresh', 'raises'])
    for (const end of ['yaml', 'lock']) await rm(join(root, 'endpoints', `${name}.${end}`));

  expect(await davit('up', 'iris')).toMatchObject({ status: 0 });
  await declare('iris', 'iris', '2');
  await lockProject(root);
  // The commit still has the old model.
  await rename(join(root, 'models/iris/1'), join(root, '.davit/old'));
  expect(await review('--stage', 'validate')).toMatchObject({
    status: 1,
    report: {
      endpoints: [
        {
          diagnostics: [{ code: 'signature-breaking', line: 6, column: 23 }],
          entities: [{ comparison: { model: 'iris 1', note: null, predictions: { rows: 3, changed: 3 } } }],
        },
      ],
    },
  });
  await declare('iris', 'iris', '2', 'The shop reads names of species since today');
  const rolling = await davit('review');
  expect(rolling).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/### 1 endpoint: 1 rolling\n[^]*rolling update: iris-\w+ → iris-\w+/) as string,
  });
  expect(rolling.stdout).toMatch(
    /\*\*`iris 2` against `iris 1`, which the base branch declares\*\*\n[^]*Accepted [^\n]*`The shop reads names of species since today`\n[^]*Predictions: \*\*3 of 3 rows differ \(100%\)\*\*; 1 input\n/,
  );
  expect(rolling.stdout).toMatch(/\| `iris 1` \| \d[^|]+s \| \d[^|]+s \| \d[^|]+MiB \|\n/);
  await rename(join(root, '.davit/old'), join(root, 'models/iris/1'));

  for (const end of ['yaml', 'lock']) await rm(join(root, 'endpoints', `iris.${end}`));
  expect(await review()).toMatchObject({
    status: 0,
    report: { endpoints: [{ endpoint: 'iris', change: 'removed', previews: [{ plan: { counts: { delete: 2 } } }] }] },
  });
});

it('davit review prints the report also when the engine cannot be asked, with exit code 3', async () => {
  await declare('iris', 'iris', '1');
  git('checkout', '-q', 'main', '--', 'endpoints/iris.lock');
  const pulumi = await readFile(join(root, 'Pulumi.yaml'), 'utf8');
  await writeFile(join(root, 'Pulumi.yaml'), 'name: [davit]\n');
  const { status, report } = await review('iris');
  await writeFile(join(root, 'Pulumi.yaml'), pulumi);
  expect(status).toBe(3);
  expect(report.endpoints).toMatchObject([
    { endpoint: 'iris', diagnostics: [], previews: [{ plan: null, outage: expect.any(String) as string }] },
  ]);
});

it('davit review in two stages: the second reads another checkout as data, with the lock that the first has computed', async () => {
  git('checkout', '-q', '-f', 'main');
  const [pull, proven, previewed] = ['pull', 'proven', 'previewed'].map((name) => join(root, '.davit', name)) as [
    string,
    string,
    string,
  ];
  git('worktree', 'add', '-q', '-b', 'two', pull);
  await cp(join(root, 'models'), join(pull, 'models'), { recursive: true });
  const yaml = await readFile(join(root, 'endpoints', 'iris.yaml'), 'utf8');
  await writeFile(
    join(pull, 'endpoints', 'iris.yaml'),
    `${yaml.replace('"1"', '"2"')}davit:\n  breaking: it answers names\n`,
  );
  await writeFile(
    join(pull, 'endpoints', 'fresh.yaml'),
    yaml.replaceAll('iris\n', 'fresh\n').replace('entity_name: fresh', 'entity_name: iris'),
  );
  await writeFile(join(pull, 'environments', 'other.yaml'), 'name: other\ntarget: nowhere\n');
  await symlink('/etc/hostname', join(pull, 'endpoints', 'link.yaml'));

  const first = await review('--stage', 'validate', '--from', pull, '--base', 'main', '--out', proven);
  expect(first.status).toBe(1);
  const states = (report: typeof first.report) =>
    report.endpoints.map((e) => [
      e.endpoint,
      e.lock,
      e.computed_lock !== null,
      e.previews.map((p) => p.plan?.verdict.kind),
    ]);
  expect(states(first.report)).toEqual([
    ['fresh', 'missing', true, []],
    ['iris', 'stale', true, []],
    ['link', 'unknown', false, []],
  ]);
  const lock = await readFile(join(proven, 'locks', 'fresh.lock'), 'utf8');
  expect(createHash('sha256').update(lock).digest('hex')).toBe(first.report.endpoints[0]?.computed_lock);

  const second = await review(
    '--stage',
    'preview',
    '--from',
    pull,
    '--base',
    'main',
    '--with',
    proven,
    '--out',
    previewed,
  );
  expect(states(second.report)).toEqual([
    ['fresh', 'missing', true, ['create']],
    ['iris', 'stale', true, ['rolling-update']],
    ['link', 'unknown', false, []],
  ]);
  expect(parseReport(await readFile(join(previewed, 'report.json'), 'utf8'))).toEqual(second.report);
  expect(JSON.stringify(second.report)).not.toContain(hostname());
  for (const name of ['fresh', 'iris'])
    expect(existsSync(join(pull, 'endpoints', `${name}.lock`))).toBe(name === 'iris'); // nothing was written there
  expect(second.report.endpoints.flatMap((e) => e.previews.map((p) => p.outage))).toEqual([null, null]);

  // What was reviewed is what is deployed: wherever the checkout is, and whatever is deployed already.
  const fingerprint = (report: typeof first.report) =>
    report.endpoints.find((e) => e.endpoint === 'fresh')?.previews[0]?.fingerprint;
  const reviewed = fingerprint(second.report);
  expect(Object.keys(reviewed?.parts ?? {}).map((part) => part.replace(/-[0-9a-f]{10}$/, ''))).toEqual([
    'lock',
    'program',
    'pulumi:providers:davit::local',
    'davit:index:Endpoint$davit:local:Revision::fresh',
    'davit:index:Endpoint$davit:local:Route::fresh',
  ]);
  await cp(join(pull, 'endpoints', 'fresh.yaml'), join(root, 'endpoints', 'fresh.yaml'));
  await cp(join(proven, 'locks', 'fresh.lock'), join(root, 'endpoints', 'fresh.lock'));
  expect(fingerprint((await review('fresh')).report)).toEqual(reviewed);
  expect(await davit('up', 'fresh')).toMatchObject({ status: 0 });
  const after = (await review('fresh')).report;
  expect(after.endpoints[0]?.previews[0]?.plan?.verdict.kind).toBe('no-change');
  expect(fingerprint(after)).toEqual(reviewed);
  await writeFile(
    join(root, 'environments', 'local.yaml'),
    'name: local\ntarget: local\nautoscaling:\n  idle_seconds: 7\n',
  );
  const moved = fingerprint((await review('fresh')).report);
  expect(reviewed && moved && compareFingerprints(reviewed, moved)).toEqual([
    expect.stringMatching(/^Revision fresh-[0-9a-f]{10} differs$/),
  ]);
});
