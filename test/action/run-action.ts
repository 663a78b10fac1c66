import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { summary } from '@actions/core';
import { vi } from 'vitest';
import { main } from '../../action/main.ts';
import { codePath } from '../../system/code.ts';
import { readCommit } from './deploy/repository.ts';

/** What a release starts. */
const BUNDLE = codePath('action', 'dist', 'index.js');

/** The job's token, which the action masks before all else. */
export const TOKEN = 'ours';

export interface ActionStep {
  readonly inputs: Readonly<Record<string, string>>;
  readonly workspace: string;
  /** The event's own parts. */
  readonly event?: object;
  readonly eventName?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the process when it has started. */
  readonly onStart?: (child: ChildProcess) => void;
}

export interface StepResult {
  readonly code: number | null;
  readonly log: string;
  /** Lines that the runner takes for commands: none of those between stop-commands and its end. */
  readonly commands: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** A folder with these files, as a repository with one commit of them on `main`. */
export function makeWorkspace(files: Readonly<Record<string, string>>): string {
  const workspace = mkdtempSync(join(tmpdir(), 'davit-action-'));
  writeFiles(workspace, { 'Pulumi.yaml': 'name: davit\nruntime: nodejs\n', ...files });
  git(workspace, 'init', '--quiet', '--initial-branch', 'main');
  commit(workspace);
  return workspace;
}

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** Commits all there is; the commit. */
export function commit(folder: string): string {
  git(folder, 'add', '--all');
  const settings = ['user.name=Test', 'user.email=test@example.org', 'core.abbrev=40'];
  const options = settings.flatMap((s) => ['-c', s]);
  return readCommit(git(folder, ...options, 'commit', '--allow-empty', '--message', 'files'));
}

function git(folder: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('git', ['-C', folder, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot git ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Starts the bundle as GitHub's runner starts it, and waits for its end. */
export function runStep(step: ActionStep): Promise<StepResult> {
  const runner = mkdtempSync(join(tmpdir(), 'davit-runner-'));
  const { env, files } = makeEnvironment(step, runner);
  const child = spawn(process.execPath, [BUNDLE], { cwd: step.workspace, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  step.onStart?.(child);
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => done(makeResult(code, log, files)));
  });
}

/**
 * Runs a step in this process, without the bundle's start. Not for steps that are ended by a signal. A test file may run
 * one at a time, because the variables, the output and the exit code are those of the process.
 */
export async function runStepInProcess(step: ActionStep): Promise<StepResult> {
  const { env, files } = makeEnvironment(step, mkdtempSync(join(tmpdir(), 'davit-runner-')));
  const variables = process.env;
  let log = '';
  const output = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    log += String(text);
    return true;
  });
  summary['_filePath'] = undefined; // it keeps the path of the first step
  process.env = env;
  try {
    await main();
    return makeResult(Number(process.exitCode ?? 0), log, files);
  } finally {
    process.env = variables;
    process.exitCode = undefined;
    output.mockRestore();
  }
}

function makeResult(code: number | null, log: string, files: { readonly output: string; readonly summary: string }) {
  return {
    code,
    log,
    summary: readFileSync(files.summary, 'utf8'),
    commands: findCommands(log),
    outputs: parseOutputs(readFileSync(files.output, 'utf8')),
  };
}

function makeEnvironment(
  { inputs, workspace, event = {}, eventName = 'pull_request', env = {} }: ActionStep,
  runner: string,
) {
  const files = { event: join(runner, 'event.json'), output: join(runner, 'output'), summary: join(runner, 'summary') };
  writeFileSync(files.event, JSON.stringify(event));
  writeFileSync(files.output, '');
  writeFileSync(files.summary, '');
  const temporary = join(runner, 'temp');
  mkdirSync(temporary);
  const given = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value] as const);
  return {
    files,
    env: {
      ...pickVariables(
        'PATH',
        'HOME',
        'DAVIT_CACHE',
        'NODE_COMPILE_CACHE',
        'UV_INDEX_URL',
        'UV_DEFAULT_INDEX',
        'PIP_INDEX_URL',
        'SSL_CERT_FILE',
        'SSL_CERT_DIR',
      ),
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: workspace,
      GITHUB_REPOSITORY: 'octo/models',
      GITHUB_RUN_ID: '4711',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_JOB: 'test',
      GITHUB_EVENT_NAME: eventName,
      GITHUB_EVENT_PATH: files.event,
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
      RUNNER_TEMP: temporary,
      ...Object.fromEntries(given),
      ...env,
    },
  };
}

function pickVariables(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

/** As the runner does: `::command parameters::data` at the beginning of a line, unless commands are stopped. */
function findCommands(log: string): readonly string[] {
  let until: string | undefined;
  return log.split('\n').filter((line) => {
    const found = /^\s*::([^\s:]+)(?: [^:]*)?::(.*)$/.exec(line) ?? /##\[([^\]]+)\](.*)/.exec(line);
    if (!found) return false;
    if (until !== undefined) {
      if (found[1] === until) until = undefined;
      return false;
    }
    if (found[1] === 'stop-commands') until = found[2];
    return found[1] !== 'stop-commands' && line !== `::add-mask::${TOKEN}`;
  });
}

/** `NAME<<DELIMITER`, lines, `DELIMITER`. */
function parseOutputs(text: string): Readonly<Record<string, string>> {
  const found = [...text.matchAll(/^([^\n<]+)<<(\S+)\n([\s\S]*?)\n?\2$/gm)];
  return Object.fromEntries(found.map(([, name = '', , value = '']) => [name, value]));
}
