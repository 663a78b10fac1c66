import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { cacheFolder } from '../../../system/cache.ts';
import { codePath } from '../../../system/code.ts';
import { ensureGoProgram } from '../../../tools/workflow-programs.ts';
import { RELEASE } from './release.ts';

/** Stands for GitHub's token of a run; what it may is what the job may. */
export const TOKEN = 'ghs_0123456789abcdefghijklmnopqrstuvwxyz';

const STAND_INS = {
  'actions/checkout@df4cb1c069e1874edd31b4311f1884172cec0e10': 'checkout',
  'actions/attest-build-provenance@a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32': 'attest-build-provenance',
  'actions/create-github-app-token@1b10c78c7865c340bc4f6099eb2f838309f1e8c3': 'create-github-app-token',
  'actions/cache@55cc8345863c7cc4c66a329aec7e433d2d1c52a9': 'cache',
  'actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f': 'upload-artifact',
  'actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131': 'download-artifact',
};
/** What a job may know of this machine: how it reaches the package registries, and nothing else. */
const PASSED_VARIABLES =
  /^(?:(?:https?|no|all)_proxy|.*_CA_(?:BUNDLE|CERTS)|SSL_CERT_(?:FILE|DIR)|PIP_.*|UV_.*|npm_config_.*)$/i;

export interface ActRun {
  /** Of GitHub: `push`. */
  readonly event: string;
  readonly payload: object;
  /** File in .github/workflows of the repository. */
  readonly workflow: string;
  /** Only this job and those that it needs. */
  readonly job?: string;
  /** Only this one of a matrix: `environment:staging`. */
  readonly matrix?: string;
  readonly runId: number;
  readonly ref: string;
  readonly sha: string;
  readonly place: ActFolders;
  readonly env?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
}

/** Folders of one fake repository, and its fake GitHub. */
export interface ActFolders {
  readonly folder: string;
  readonly origin: string;
  readonly release: string;
  readonly repository: string;
  readonly apiUrl: string;
}

/**
 * How a job ended, in GitHub's words; one that did not begin is not there. Jobs that call deploy.yaml and the like go by
 * the caller's name, and the job before the deployment as `due to staging`.
 */
type JobResults = Readonly<Record<string, string>>;

export interface ActResult {
  readonly results: JobResults;
  /** Lines of all jobs, each after its job's name. */
  readonly log: string;
  /** What the runner took for commands: `error`, `warning`, `set-output`, with their properties. */
  readonly commands: readonly LogLine[];
  readonly steps: readonly ActStep[];
}

/** One that has run to its end, well or not. */
interface ActStep {
  readonly job: string;
  readonly name: string;
  readonly seconds: number;
}

interface LogLine {
  readonly msg?: string;
  readonly jobID?: string;
  /** `staging/Davit, to one environment/deploy to staging` */
  readonly job?: string;
  readonly jobResult?: string;
  readonly command?: string;
  readonly arg?: string;
  /** Of an output. */
  readonly name?: string;
  readonly kvPairs?: Readonly<Record<string, string>>;
  readonly step?: string;
  readonly stage?: string;
  /** Nanoseconds, where a step ends. */
  readonly executionTime?: number;
}

/** Runs a workflow file by act in host mode. */
export async function runAct(run: ActRun): Promise<ActResult> {
  const act = await ensureGoProgram('act', { progress: { say: (line) => process.stderr.write(`${line}\n`) } });
  const home = join(run.place.folder, 'act');
  mkdirSync(home, { recursive: true });
  const event = join(home, `event-${run.runId}.json`);
  writeFileSync(event, JSON.stringify(run.payload));
  const child = spawn(act, [...listArguments(run), '--eventpath', event], {
    cwd: run.place.origin,
    env: makeMachineEnvironment(home),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await new Promise((done) => child.on('close', done));
  return readLines(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map(parseLine),
  );
}

function listArguments({ event, workflow, job, matrix, runId, ref, sha, place, env = {}, secrets = {} }: ActRun) {
  const known = {
    ARTIFACTS: join(place.folder, 'artifacts'),
    DAVIT_CACHE: cacheFolder(),
    GITHUB_API_URL: place.apiUrl,
    GITHUB_REF: ref,
    GITHUB_REPOSITORY: place.repository,
    GITHUB_RUN_ID: String(runId),
    KEPT_WORKSPACE: join(place.folder, 'workspace'),
    NODE_OPTIONS: `--import=${codePath('test', 'action', 'workflows', 'kept-workspace.mjs')}`,
    NODE_COMPILE_CACHE: cacheFolder('node'), // each step starts Node
    ORIGIN: place.origin,
    SHA_REF: sha, // act's own word for GITHUB_SHA
    UV_CACHE_DIR: join(homedir(), '.cache', 'uv'),
    ...env,
  };
  const replaced = { ...listStandIns(), [RELEASE]: place.release };
  return [
    ...[event, '--json', '--workflows', join('.github', 'workflows', workflow), ...(job ? ['--job', job] : [])],
    ...(matrix === undefined ? [] : ['--matrix', matrix]),
    ...['--platform', 'ubuntu-latest=-self-hosted', '--no-cache-server', '--no-skip-checkout'],
    ...makeOptions('--env', known),
    ...makeOptions('--secret', { GITHUB_TOKEN: TOKEN, ...secrets }),
    ...makeOptions('--local-repository', replaced),
  ];
}

function listStandIns(): Readonly<Record<string, string>> {
  const folder = (name: string) => codePath('test', 'action', 'workflows', 'stand-ins', name);
  return Object.fromEntries(Object.entries(STAND_INS).map(([action, name]) => [action, folder(name)]));
}

function makeOptions(option: string, values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([key, value]) => [option, `${key}=${value}`]);
}

/** act hands its own environment to every job, so it gets none but what a runner has. */
function makeMachineEnvironment(home: string): NodeJS.ProcessEnv {
  const passed = Object.entries(process.env).filter(([key]) => PASSED_VARIABLES.test(key));
  const path = [dirname(process.execPath), '/usr/local/go/bin', '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter);
  return { ...Object.fromEntries(passed), HOME: homedir(), XDG_CACHE_HOME: home, PATH: path };
}

function parseLine(line: string): LogLine {
  return line.startsWith('{') ? (JSON.parse(line) as LogLine) : { msg: line };
}

function readLines(lines: readonly LogLine[]): ActResult {
  const ended = lines.flatMap((line) => (line.jobResult ? [[findJobName(line), line.jobResult] as const] : []));
  const log = lines.map((line) => `${findJobName(line)}: ${line.msg?.trimEnd() ?? ''}`).join('\n');
  const steps = lines.flatMap((line) => {
    const { step: name, stage, executionTime } = line;
    return name === undefined || stage !== 'Main' || executionTime === undefined
      ? []
      : [{ job: findJobName(line), name, seconds: executionTime / 1e9 }];
  });
  return { results: Object.fromEntries(ended), log, commands: lines.filter((l) => l.command !== undefined), steps };
}

const CALLED_JOBS = ['deploy', 'drift'];

function findJobName({ job = '', jobID = '' }: LogLine): string {
  const caller = job.split('/')[0] ?? jobID;
  if (jobID === 'due') return `due to ${caller}`;
  return CALLED_JOBS.includes(jobID) ? caller : jobID;
}
