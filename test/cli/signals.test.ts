import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { verifyEndpoint } from '../../action/deploy/verify-endpoint.ts';
import type { Deploying } from '../../action/deploy/deployment-context.ts';
import { queryExamples } from '../../app/targets/query-examples.ts';
import { openLocalTarget } from '../../app/targets/local-target.ts';
import type { Connection, Query, Target } from '../../app/targets/target.ts';
import { parseEndpoint } from '../../schemas/endpoint/parse-endpoint.ts';
import { SILENT } from '../../system/progress.ts';
import { makeWorkingProject } from './working-project.ts';
import { programPath } from '../../system/code.ts';

const CODE = join(import.meta.dirname, '..', '..');
const MAIN = programPath('cli', 'main.ts');
const ENDPOINT =
  'name: iris\nconfig:\n  served_entities:\n    - {name: iris, entity_name: iris, entity_version: "1"}\n';

test.each<readonly [NodeJS.Signals, number, readonly string[]]>([
  ['SIGINT', 130, ['status']],
  ['SIGTERM', 143, ['logs', 'iris']],
  ['SIGHUP', 129, ['query', 'iris', '--data', '{}']],
])('%s ends with code %i while the supervisor does not answer davit %s', async (signal, code, args) => {
  const { root, supervisor } = await makeSilentProject();
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: root, stdio: 'ignore' });
  await once(supervisor, 'request');
  child.kill(signal);
  expect(await once(child, 'exit')).toEqual([code, null]);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s that only the starting program gets, without a terminal, reaches davit', async (signal, code) => {
  const { root, supervisor } = await makeSilentProject();
  const davit = [join(CODE, 'bin', 'davit.mjs'), 'status'];
  const child = spawn(process.execPath, davit, { cwd: root, stdio: 'ignore', detached: true });
  onTestFinished(() => killGroup(child));
  await once(supervisor, 'request');
  child.kill(signal);
  expect(await once(child, 'exit')).toEqual([code, null]);
});

test.each<(target: Target) => Promise<unknown> | undefined>([
  (target) => target.readStatus(),
  (target) => target.connect(),
  (target) => target.openAccess(),
  (target) => target.start?.(),
  (target) => target.replaceHanging?.(),
])('a signal ends the waiting for a supervisor that does not answer: %s', async (wait) => {
  const { root, supervisor } = await makeSilentProject();
  const stop = new AbortController();
  const waiting = wait(openLocalTarget(root, 'local', stop.signal));
  await once(supervisor, 'request');
  stop.abort(new Error('Stopped by this test'));
  await expect(waiting).rejects.toThrow('Stopped by this test');
});

test('a signal ends the verification of a deployment by the action', async () => {
  const { root, supervisor } = await makeSilentProject();
  const stop = new AbortController();
  const environment = { name: 'local', target: 'local' };
  const place = { root, endpoints: 'endpoints' };
  const request = { place, environment, progress: SILENT, signal: stop.signal };
  const verifying = verifyEndpoint(readEndpoint(), { request } as unknown as Deploying);
  await once(supervisor, 'request');
  stop.abort(new Error('Stopped by this test'));
  await expect(verifying).rejects.toThrow('Stopped by this test');
});

test('a signal ends the question to a model that hangs', async () => {
  const { root, remove } = await makeWorkingProject({ 'iris/1': join(CODE, 'models/iris/1') });
  onTestFinished(remove);
  const stop = new AbortController();
  const query = async ({ signal }: Query) => {
    setImmediate(() => stop.abort(new Error('Stopped by this test')));
    if (signal) await once(signal, 'abort');
    throw signal?.reason;
  };
  const connection: Connection = { host: 'http://gateway', query };
  const answers = queryExamples(readEndpoint(), { root, connection, signal: stop.signal });
  await expect(answers).rejects.toThrow('Stopped by this test');
});

test('a closed terminal ends a command at its safe point, though nobody reads what it says', async () => {
  const program = `
    import { once } from 'node:events';
    import { setImmediate } from 'node:timers/promises';
    import { runVerb } from ${JSON.stringify(join(CODE, 'cli', 'run-command.ts'))};
    const run = async ({ signal, progress }) => {
      progress.say('begun');
      const work = setInterval(() => undefined, 1000);
      await once(signal, 'abort');
      clearInterval(work);
      for (let step = 0; step < 10; step++) {
        progress.say('stopping');
        await setImmediate();
      }
      signal.throwIfAborted();
    };
    const command = { summary: '', usage: '', help: '', options: {}, args: { min: 0, max: 0 }, run };
    process.exitCode = await runVerb('test', command, []);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child.stderr, 'data');
  child.stdout.destroy();
  child.stderr.destroy();
  child.kill('SIGHUP');
  expect(await once(child, 'exit')).toEqual([129, null]);
});

/** A project whose supervisor takes requests and answers none. */
async function makeSilentProject() {
  const { root, remove } = await makeWorkingProject({});
  onTestFinished(remove);
  await writeFile(join(root, 'endpoints', 'iris.yaml'), ENDPOINT);
  const socketPath = join(root, 'control.sock');
  const supervisor = createServer();
  onTestFinished(() => supervisor.closeAllConnections());
  onTestFinished(() => void supervisor.close());
  supervisor.listen(socketPath);
  await once(supervisor, 'listening');
  const folder = join(root, '.davit', 'environments', 'local');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'control.json'), JSON.stringify({ socketPath, pid: process.pid }));
  return { root, supervisor };
}

function readEndpoint() {
  const { endpoint } = parseEndpoint(ENDPOINT, 'endpoints/iris.yaml');
  if (!endpoint) throw new Error('Cannot parse the endpoint of this test');
  return endpoint;
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
