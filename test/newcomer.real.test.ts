// A newcomer's first hour with the package, in an empty folder, as README.md and the output of each command say: from
// `npm install` to a model of one's own that serves, is updated and taken down. action/workflows-merge goes on with the
// files of `davit init` on GitHub.
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { codePath } from '../system/code.ts';
import { makeChildEnvironment, runProcess } from '../system/run-process.ts';
import { ensureInstalledPackage, runInstalled } from './tools/install-package.ts';

/** Between two requests, because client, servers and engine share the processors. */
const PAUSE_MILLISECONDS = 20;

let shop = '';
let installed = '';
/** The variables that `davit up` prints. */
let access = '';
beforeAll(async () => {
  installed = await ensureInstalledPackage();
  shop = await realpath(await mkdtemp(join(tmpdir(), 'davit-shop-')));
  await symlink(join(installed, 'node_modules'), join(shop, 'node_modules'));
});
afterAll(async () => {
  await davit('down', '--all', '--quiet');
  await rm(shop, { recursive: true });
});

const davit = (...args: readonly string[]) => runInstalled(installed, shop, args);
const shell = (script: string) => runProcess('bash', ['-c', script], { cwd: shop, env: makeChildEnvironment() });

async function succeed(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await davit(...args);
  expect(code, `${args.join(' ')}: ${stdout}${stderr}`).toBe(0);
  return stdout;
}

async function takeModel(version: '1' | '2'): Promise<void> {
  const from = codePath('models', 'iris', version);
  const into = join(shop, 'models', 'flowers', version);
  await cp(from, into, { recursive: true, filter: (file) => !file.endsWith('__pycache__') });
}

it('says in one sentence how an empty folder becomes a project', async () => {
  const { code, stdout, stderr } = await davit('preview');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^Cannot find a project in [^\n]*npx davit init[^\n]*\n$/);
});

it('makes an endpoint of a model, and says what is next', async () => {
  await takeModel('1');
  const made = await succeed('init', '--model', 'models/flowers/1');
  expect(made).toContain('written  endpoints/flowers.yaml\nwritten  .gitignore\n');
  expect(made).toContain('- npx davit lock flowers && npx davit up flowers');
  expect(await succeed('init')).toMatch(/^Nothing was changed: /);
  expect(await succeed('check', 'flowers')).toBe('1 endpoint file checked: all fine\n');
});

it('serves it, and the printed commands query it', async () => {
  await succeed('lock', 'flowers');
  const up = await succeed('up', 'flowers');
  expect(up).toMatch(/^flowers: create: flowers-1-/);
  access = /^export .*$/m.exec(up)?.[0] ?? '';
  const printed = /^Query flowers .*:\n {4}(npx davit .*)\n {4}(curl .*)$/m.exec(up)?.slice(1) ?? [];
  expect(printed).toHaveLength(2);
  for (const command of printed) {
    const { stdout, stderr } = await shell(`${access}\n${command}`);
    expect(JSON.parse(stdout || stderr), command).toEqual({ predictions: [0, 1, 2] });
  }
  expect((await davit('query', 'flowers')).stderr).toContain('--data @models/flowers/1/serving_input_example.json\n');
});

it('reviews a change as a pull request does, and updates it without a failed request', async () => {
  const commit = [
    'add',
    '--all',
    '&&',
    'git',
    '-c user.name=a',
    '-c user.email=a@b',
    'commit',
    '--quiet',
    '-m',
    'First',
  ];
  execFileSync('bash', ['-c', `git init --quiet && git ${commit.join(' ')}`], { cwd: shop });
  await takeModel('2');
  const file = join(shop, 'endpoints', 'flowers.yaml');
  const text = await readFile(file, 'utf8');
  const second = text.replace('flowers-1', 'flowers-2').replace('"1"', '"2"');
  await writeFile(file, second);
  await succeed('lock');
  await writeFile(file, `${second}davit:\n  breaking: The shop reads names of species since today\n`);
  const review = await succeed('review');
  expect(review).toMatch(/^### 1 endpoint: 1 rolling$/m);
  expect(review).toMatch(/^Predictions: \*\*3 of 3 rows differ \(100%\)\*\*/m);
  const clients = sendRequests();
  expect(await succeed('up')).toMatch(/^flowers: rolling update: flowers-1-\w+ → flowers-2-/);
  const answers = await clients.stop();
  expect(new Set(answers)).toEqual(
    new Set(['{"predictions": [0, 1, 2]}', '{"predictions": ["setosa", "versicolor", "virginica"]}']),
  );
  expect(await succeed('status')).toMatch(
    /flowers {2}READY {2}NOT_UPDATING[^]* flowers-2 {2}DEPLOYMENT_READY {2}100 %/,
  );
});

it('takes it down and leaves only the files of the project', async () => {
  expect(await succeed('down', 'flowers')).toBe('flowers: down\n');
  expect((await readdir(shop)).sort()).toEqual(['.git', '.gitignore', 'endpoints', 'models', 'node_modules']);
});

/** One client that sends the example until it is stopped, and at least once after that. */
function sendRequests(): { readonly stop: () => Promise<readonly string[]> } {
  const [, host = '', token = ''] = /DATABRICKS_HOST=(\S+) DATABRICKS_TOKEN=(\S+)/.exec(access) ?? [];
  const state = { isStopped: false };
  const sending = (async () => {
    const body = await readFile(join(shop, 'models', 'flowers', '1', 'serving_input_example.json'), 'utf8');
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answers: string[] = [];
    for (let last = false; !last;) {
      last = state.isStopped;
      const answer = await fetch(`${host}/serving-endpoints/flowers/invocations`, { method: 'POST', headers, body });
      answers.push(await answer.text());
      await sleep(PAUSE_MILLISECONDS);
    }
    return answers;
  })();
  return {
    stop: () => {
      state.isStopped = true;
      return sending;
    },
  };
}
