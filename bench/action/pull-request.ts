import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codePath } from '../../system/code.ts';
import { declareEndpoint, exampleModel, makeUserRepository } from '../../test/action/workflows/make-user-repository.ts';
import type { ActResult } from '../../test/action/workflows/run-act.ts';
import type { Files, UserRepository } from '../../test/action/workflows/user-repository.ts';
import { type BenchContext, type Benchmark, type Figure, repeatWork } from '../benchmark.ts';
import { killProcesses, listProcessesUsing } from '../processes.ts';

const ROUNDS = 3;
const ENDPOINTS = 200;
const MANY = 10;
const SIDE = 'davit';

export const pullRequest: Benchmark = {
  summary: `a pull request's workflow in a repository of ${ENDPOINTS} endpoints, by act with a GitHub in memory`,
  note: [
    'Target: for one changed endpoint at most 90 s from the first job to the comment, without what GitHub needs to start three',
    'runners; at most 8 s a preview. Each endpoint has a new version of its model: the lock is computed, the prediction run; the',
    "virtualenv is cached, as by actions/cache. The packages of Davit's program are not installed, as on a new runner (npm ci).",
  ].join('\n'),
  run: async (bench) => {
    bench.progress.say(`Making a repository of ${ENDPOINTS} endpoints …`);
    const user = await makeUserRepository(await describeRepository());
    try {
      bench.progress.say('Once, not counted …');
      await runOnce(user, 1);
      return [...(await measure(bench, user, 1)), ...(await measure(bench, user, MANY))];
    } finally {
      killProcesses(listProcessesUsing(user.folder));
      await user.remove();
    }
  },
};

const nameEndpoint = (i: number) => `iris-${String(i).padStart(3, '0')}`;

/** Returns the files of a repository whose endpoints have the same model, with their locks. */
async function describeRepository(): Promise<Files> {
  const lock = await readFile(codePath('endpoints', 'iris.lock'), 'utf8');
  const files = Array.from({ length: ENDPOINTS }, (_, i) => nameEndpoint(i)).flatMap((name) => [
    [`endpoints/${name}.yaml`, declareEndpoint(name, 'iris', '2')] as const,
    // Replaces the endpoint's name and its entity's name.
    [`endpoints/${name}.lock`, lock.replaceAll(/\biris(?=`|:$)|(?<=^endpoint: )iris/gm, name)] as const,
  ]);
  return { 'models/iris/2': exampleModel('2'), 'endpoints/iris.yaml': null, ...Object.fromEntries(files) };
}

let versions = 100;

/** Returns the files of a change that gives `count` endpoints a new version of their model. */
async function describeChange(count: number): Promise<Files> {
  const description = await readFile(codePath('models', 'iris', '1', 'MLmodel'), 'utf8');
  const files = Array.from({ length: count }, (_, i) => {
    const [name, version] = [nameEndpoint(i), String(++versions)];
    const model = `models/iris/${version}`;
    return {
      [model]: exampleModel('1'),
      [`${model}/MLmodel`]: `${description}run_id: ${process.pid}${Date.now()}${version}\n`,
      [`endpoints/${name}.yaml`]: declareEndpoint(name, 'iris', version),
    };
  });
  return Object.assign({}, ...files) as Files;
}

interface Run extends ActResult {
  readonly seconds: number;
  readonly calls: number;
}

let pulls = 0;

async function runOnce(user: UserRepository, count: number): Promise<Run> {
  const pull = user.openPullRequest(++pulls, await describeChange(count));
  await rm(join(user.folder, 'release', 'node_modules'), { recursive: true, force: true }); // it is a link at first
  const before = user.github.requests.length;
  const started = performance.now();
  const run = await user.runPullRequest(pull);
  const seconds = (performance.now() - started) / 1000;
  const said = user.github.world.comments.find((c) => c.on === pull.number)?.body;
  if (!said?.includes(`${count} new`)) throw new Error(`Cannot find the expected comment:\n${said ?? run.log}`);
  return { ...run, seconds, calls: user.github.requests.length - before };
}

async function measure(bench: BenchContext, user: UserRepository, count: number): Promise<readonly Figure[]> {
  const what = `${count} changed`;
  const runs = await repeatWork(bench, { what, times: ROUNDS }, () => runOnce(user, count));
  const figure = (of: string, unit: string, values: readonly number[]): Figure => ({
    ...{ what: `${what}, ${of}`, unit, side: SIDE, values },
  });
  const step = (name: string) => runs.map((r) => r.steps.find((s) => s.name === name)?.seconds ?? NaN);
  return [
    figure('start to comment', 'wall s', runs.map((r) => r.seconds)), // prettier-ignore
    figure('  step Validate', 'wall s', step('Validate')),
    figure('  step Preview', 'wall s', step('Preview')),
    figure(
      '  of that, npm ci',
      'wall s',
      runs.flatMap((r) => readSeconds(r.log, 'Installing the packages')),
    ),
    figure(
      '  of that, a preview',
      'wall s',
      runs.flatMap((r) => readSeconds(r.log, 'Previewing')),
    ),
    figure('  step Report', 'wall s', step('Report')),
    figure('  all other steps and act', 'wall s', runs.map(computeOtherSeconds)),
    figure(
      'calls of the API',
      'calls',
      runs.map((r) => r.calls),
    ),
  ];
}

/** Reads the durations that the log reports for a step. */
function readSeconds(log: string, what: string): readonly number[] {
  return [...log.matchAll(new RegExp(`${what}.*: done in ([\\d.]+) s`, 'g'))].map(([, seconds]) => Number(seconds));
}

function computeOtherSeconds({ seconds, steps }: Run): number {
  const ours = steps.filter(({ name }) => ['Validate', 'Preview', 'Report'].includes(name));
  return seconds - ours.reduce((sum, s) => sum + s.seconds, 0);
}
