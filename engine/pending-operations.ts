import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, stacksFolder } from './backend.ts';
import { PUT_BACK } from './pulumi-command.ts';
import { resourceName } from './plan.ts';

/** The state of a stack, as `pulumi stack export` prints it; only what is of interest here. */
export interface StackState {
  readonly version: number;
  readonly deployment: Deployment;
}

interface Deployment {
  readonly resources?: readonly StateResource[];
  readonly pending_operations?: readonly PendingOperation[];
}

/** What an engine that was killed had begun and not noted the end of. */
export interface PendingOperation {
  /** `creating`, `updating`, `deleting`, `reading` or `importing`. */
  readonly type: string;
  readonly resource: StateResource;
}

interface StateResource {
  readonly urn: string;
  readonly type: string;
  /** Whether a provider makes it; else it only groups others, and has no id. */
  readonly custom?: boolean;
  readonly id?: string | undefined;
  readonly inputs?: object;
  readonly outputs?: object | undefined;
  /** Every operation looks first at what is really there. The provider's next answer takes it back. */
  readonly refreshBeforeUpdate?: boolean;
}

/** How many operations are pending in a stack of a file backend; undefined: its state cannot be looked at from here. */
export async function countPendingOperations(stack: string, backend: Backend): Promise<number | undefined> {
  const stacks = stacksFolder(backend);
  if (!stacks) return undefined;
  const file = join(stacks, `${stack}.json`);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined; // compressed, as the user may have asked for
  const state = parseState(text, file) as { readonly checkpoint?: { readonly latest?: Deployment } };
  return state.checkpoint?.latest?.pending_operations?.length ?? 0;
}

function parseState(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new Error(`Cannot read the state in ${file}: it is not JSON. ${PUT_BACK}`, { cause: e });
  }
}

/**
 * The same state with nothing pending. What was being created is taken for made, under the id it must have, so that a
 * refresh finds out: the engine itself would warn about it for ever, and never delete it. All that an operation was pending
 * on is to be looked at first: who is killed before the refresh has ended must not leave a state that is believed.
 */
export function adoptPendingCreates(state: StackState): StackState {
  const { resources = [], pending_operations: pending = [] } = state.deployment;
  const known = new Set(resources.map((resource) => resource.urn));
  const adopted = pending
    .filter(({ type, resource }) => type === 'creating' && isOwn(resource) && !known.has(resource.urn))
    .map(({ resource }) => ({ ...resource, id: resourceName(resource.urn), outputs: resource.inputs ?? {} }));
  const doubtful = new Set(pending.map(({ resource }) => resource.urn));
  const after = [...resources, ...adopted].map((resource) =>
    doubtful.has(resource.urn) && isMadeByProvider(resource) ? { ...resource, refreshBeforeUpdate: true } : resource,
  );
  return { ...state, deployment: { ...state.deployment, resources: after, pending_operations: [] } };
}

/** Of our own providers: the id is the Pulumi name, which is how they can be found again. */
function isOwn(resource: StateResource): boolean {
  return isMadeByProvider(resource) && resource.type.startsWith('davit:');
}

function isMadeByProvider({ custom = false, type }: StateResource): boolean {
  return custom && !type.startsWith('pulumi:');
}
