import type { EngineEvent, Stack } from '@pulumi/pulumi/automation/index.js';
import { pathToFileURL } from 'node:url';
import type { ServeProgram } from '../pulumi-provider/program-server.ts';
import type { ServeLocalProvider } from '../pulumi-provider/provider-server.ts';
import { programPath } from '../system/code.ts';
import { skipUnusedPackages } from '../system/lean-pulumi-sdk/skip-unused-packages.ts';
import type { Progress } from '../system/progress.ts';
import { recordHolder } from './state/lock-holders.ts';
import { makeLockedOutcome, makeOutcome, type Outcome } from './plan/outcome.ts';
import { type PulumiProject, useProject } from './pulumi-project.ts';
import { type PulumiEnvironment, withoutProxy } from './pulumi-environment.ts';
import { makeAutomationCommand, PulumiFailed } from './pulumi-command.ts';
import { renderEvent } from './plan/render-event.ts';
import { isLockRefusal } from './state/state-lock.ts';

/** Pulumi's own variable, for debuggers: the engine connects to the providers that it names, as in `davit:41231`. */
const PROVIDERS_VARIABLE = 'PULUMI_DEBUG_PROVIDERS';

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
  const servers = await serveToEngine(project, signal);
  try {
    const run = async () => operate(await openStack(project, stack, servers), { onEvent, ...(signal && { signal }) });
    await useProject(project, run, { progress, signal });
    return makeOutcome(place, 'succeeded', events);
  } catch (e) {
    if (!(e instanceof PulumiFailed)) throw e;
    if (isLockRefusal(e.stderr)) return makeLockedOutcome(place, { message: e.stderr.trim() });
    const outcome = makeOutcome(place, signal?.aborted ? 'cancelled' : 'failed', events);
    if (outcome.status === 'failed' && outcome.failures.length === 0) throw e;
    return outcome;
  } finally {
    await servers?.close();
  }
}

/** What the engine connects to in this process, instead of starting it. */
interface EngineServers {
  /** The address of the program. */
  readonly program: string;
  /** Names the port of the provider to the engine. */
  readonly environment: PulumiEnvironment;
  readonly close: () => Promise<void>;
}

/**
 * Serves the project's program and Davit's provider from this process. Undefined: the engine runs the program, and its
 * providers, in processes of their own.
 */
async function serveToEngine(
  { programServer, environment }: PulumiProject,
  signal: AbortSignal | undefined,
): Promise<EngineServers | undefined> {
  if (programServer === undefined) return undefined;
  skipUnusedPackages();
  Object.assign(process.env, withoutProxy());
  const variables = { ...process.env, ...environment };
  const { serveProgram } = await load<{ readonly serveProgram: ServeProgram }>(programServer);
  const program = await serveProgram({ variables, signal });
  const users = variables[PROVIDERS_VARIABLE];
  if (users?.split(',').some((entry) => entry.startsWith('davit:'))) {
    const close = () => Promise.resolve().then(program.close);
    return { program: program.address, environment: {}, close };
  }
  try {
    const { serveLocalProvider } = await load<{ readonly serveLocalProvider: ServeLocalProvider }>(
      programPath('local', 'serve-local-provider.ts'),
    );
    const provider = await serveLocalProvider({ variables });
    return {
      program: program.address,
      environment: { [PROVIDERS_VARIABLE]: [...(users ? [users] : []), `davit:${provider.port}`].join(',') },
      close: () => {
        program.close();
        return provider.close();
      },
    };
  } catch (e) {
    program.close();
    throw e;
  }
}

/** Loads a room that this one does not import. */
async function load<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(path).href)) as T;
}

/** The Automation API turns on the engine's debug messages, which hold secrets in clear text. */
function isDebug(event: EngineEvent): boolean {
  return (event.diagnosticEvent?.severity as string | undefined) === 'debug';
}

/** The Automation API's handle of an existing stack. */
async function openStack(project: PulumiProject, stack: string, servers: EngineServers | undefined): Promise<Stack> {
  // Loading it takes half a second, and the action installs it only where it previews or deploys.
  skipUnusedPackages();
  const { LocalWorkspace, Stack: Stacks } = await import('@pulumi/pulumi/automation/index.js');
  const workspace = await LocalWorkspace.create({
    workDir: project.folder,
    pulumiCommand: makeAutomationCommand(project.engine, {
      program: servers?.program,
      onStart: (pid) => recordHolder(project.backend, pid),
    }),
    envVars: { ...project.environment, ...servers?.environment },
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
