import type { EngineEvent, Stack } from '@pulumi/pulumi/automation/index.js';
import { pathToFileURL } from 'node:url';
import type { ProgramServer, ServeProgram } from '../pulumi-provider/program-server.ts';
import { programPath } from '../system/code.ts';
import { skipUnusedPackages } from '../system/lean-sdk/skip-unused-packages.ts';
import type { Progress } from '../system/progress.ts';
import { recordHolder } from './state/lock-holders.ts';
import { makeLockedOutcome, makeOutcome, type Outcome } from './plan/outcome.ts';
import { type PulumiProject, useProject } from './pulumi-project.ts';
import { withoutProxy } from './pulumi-environment.ts';
import { makeAutomationCommand, PulumiFailed } from './pulumi-command.ts';
import { renderEvent } from './plan/render-event.ts';
import { isLockRefusal } from './state/state-lock.ts';

/** The options of every operation of the Automation API. */
export interface AutomationOptions {
  readonly signal?: AbortSignal;
  readonly onEvent: (event: EngineEvent) => void;
}

export interface OperationOptions {
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** Runs one operation of the engine and makes its outcome from the events; throws when the engine itself has failed. */
export async function runOperation(
  project: PulumiProject,
  stack: string,
  { progress, signal }: OperationOptions,
  operate: (handle: Stack, automation: AutomationOptions) => Promise<unknown>,
): Promise<Outcome> {
  const place = { stack, root: project.root };
  const events: EngineEvent[] = [];
  const onEvent = (event: EngineEvent) => {
    if (isDebug(event)) return;
    events.push(event);
    const line = renderEvent(event);
    if (line !== undefined) progress.say(line);
  };
  const server = await serveProgram(project, signal);
  try {
    const run = async () =>
      operate(await openStack(project, stack, server?.address), { onEvent, ...(signal && { signal }) });
    await useProject(project, run, { progress, signal });
    return makeOutcome(place, 'succeeded', events);
  } catch (e) {
    if (!(e instanceof PulumiFailed)) throw e;
    if (isLockRefusal(e.stderr)) return makeLockedOutcome(place, { message: e.stderr.trim() });
    const outcome = makeOutcome(place, signal?.aborted ? 'cancelled' : 'failed', events);
    if (outcome.status === 'failed' && outcome.failures.length === 0) throw e;
    return outcome;
  } finally {
    server?.close();
  }
}

/**
 * Serves Davit's program from this process. Undefined: the project has another program, which the engine runs in a process
 * of its own.
 */
async function serveProgram(
  { isOurs, environment }: PulumiProject,
  signal: AbortSignal | undefined,
): Promise<ProgramServer | undefined> {
  if (!isOurs) return undefined;
  skipUnusedPackages();
  Object.assign(process.env, withoutProxy());
  const door = pathToFileURL(programPath('infra', 'serve-program.ts')).href;
  const { serveProgram: serve } = (await import(door)) as { readonly serveProgram: ServeProgram };
  return serve({ variables: { ...process.env, ...environment }, signal });
}

/** The Automation API turns on the engine's debug messages, which hold secrets in clear text. */
function isDebug(event: EngineEvent): boolean {
  return (event.diagnosticEvent?.severity as string | undefined) === 'debug';
}

/** The Automation API's handle of an existing stack. */
async function openStack(project: PulumiProject, stack: string, program: string | undefined): Promise<Stack> {
  // Loading it takes half a second, and the action installs it only where it previews or deploys.
  skipUnusedPackages();
  const { LocalWorkspace, Stack: Stacks } = await import('@pulumi/pulumi/automation/index.js');
  const workspace = await LocalWorkspace.create({
    workDir: project.folder,
    pulumiCommand: makeAutomationCommand(project.engine, {
      program,
      onStart: (pid) => recordHolder(project.backend, pid),
    }),
    envVars: { ...project.environment },
  });
  // Every command names its stack. Selecting the stack as well costs 0.3 s and would change which stack the user's own
  // `pulumi` works on.
  workspace.selectStack = () => Promise.resolve();
  // After an update the API runs three more commands, one of them for secrets in clear text. The events already hold
  // all of that. Skipping them saves 0.9 s of a 6.3 s update.
  workspace.stackOutputs = () => Promise.resolve({});
  const handle = await Stacks.select(stack, workspace);
  handle.info = () => Promise.resolve(undefined);
  return handle;
}
