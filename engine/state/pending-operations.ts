import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, stacksFolder } from './backend.ts';
import { RESTORE_HINT } from '../pulumi-command.ts';
import { resourceName } from '../plan/plan.ts';

/** The state of a stack, as `pulumi stack export` prints it, reduced to the fields that are used here. */
export interface StackState {
  readonly version: number;
  readonly deployment: Deployment;
}

interface Deployment {
  readonly resources?: readonly StateResource[];
  readonly pending_operations?: readonly PendingOperation[];
}

/** An operation that a killed engine began and did not record the end of. */
export interface PendingOperation {
  /** `creating`, `updating`, `deleting`, `reading` or `importing`. */
  readonly type: string;
  readonly resource: StateResource;
}

interface StateResource {
  readonly urn: string;
  readonly type: string;
  /** Whether a provider makes it; otherwise it only groups others and has no id. */
  readonly custom?: boolean;
  readonly id?: string | undefined;
  readonly inputs?: object;
  readonly outputs?: object | undefined;
  /** Makes every operation refresh the resource first. The provider's next answer resets it. */
  readonly refreshBeforeUpdate?: boolean;
}

/** How many operations are pending in a stack; undefined: the backend is no folder, or the state is compressed. */
export async function countPendingOperations(stack: string, backend: Backend): Promise<number | undefined> {
  const deployment = await readDeployment(stack, backend);
  return deployment && (deployment.pending_operations?.length ?? 0);
}

/** Whether an update has put something into a stack, or has begun to; undefined as above. A preview makes an empty stack. */
export async function hasResources(stack: string, backend: Backend): Promise<boolean | undefined> {
  const deployment = await readDeployment(stack, backend);
  return deployment && (deployment.resources ?? deployment.pending_operations ?? []).length > 0;
}

/** The types of the resources in a stack; undefined as above. */
export async function readResourceTypes(stack: string, backend: Backend): Promise<readonly string[] | undefined> {
  const deployment = await readDeployment(stack, backend);
  return deployment && listTypes(deployment);
}

/** The types of the resources in a state as `pulumi stack export` prints it. */
export function listExportedTypes(text: string): readonly string[] {
  return listTypes((parseState(text, 'the state') as StackState).deployment);
}

function listTypes({ resources = [] }: Deployment): readonly string[] {
  return resources.map((resource) => resource.type);
}

async function readDeployment(stack: string, backend: Backend): Promise<Deployment | undefined> {
  const stacks = stacksFolder(backend);
  if (!stacks) return undefined;
  const file = join(stacks, `${stack}.json`);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined; // compressed, as the user may have asked for
  const state = parseState(text, file) as { readonly checkpoint?: { readonly latest?: Deployment } };
  return state.checkpoint?.latest ?? {};
}

function parseState(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new Error(`Cannot read the state in ${file}: it is not JSON. ${RESTORE_HINT}`, { cause: e });
  }
}

/**
 * The same state with nothing pending. A resource whose create was pending is added under its expected id, so that a
 * refresh finds out whether it exists. Otherwise the engine would warn about it for ever and never delete it. Every
 * resource with a pending operation is marked for a refresh, so that the state is not trusted if this process is killed
 * before the refresh ends.
 */
export function adoptPendingCreates(state: StackState): StackState {
  const { resources = [], pending_operations: pending = [] } = state.deployment;
  const known = new Set(resources.map((resource) => resource.urn));
  const adopted = pending
    .filter(({ type, resource }) => type === 'creating' && isDavitResource(resource) && !known.has(resource.urn))
    .map(({ resource }) => ({ ...resource, id: resourceName(resource.urn), outputs: resource.inputs ?? {} }));
  const doubtful = new Set(pending.map(({ resource }) => resource.urn));
  const after = [...resources, ...adopted].map((resource) =>
    doubtful.has(resource.urn) && isMadeByProvider(resource) ? { ...resource, refreshBeforeUpdate: true } : resource,
  );
  return { ...state, deployment: { ...state.deployment, resources: after, pending_operations: [] } };
}

/** Whether the resource is of our own providers. Their id is the Pulumi name, so they can be found again. */
function isDavitResource(resource: StateResource): boolean {
  return isMadeByProvider(resource) && resource.type.startsWith('davit:');
}

function isMadeByProvider({ custom = false, type }: StateResource): boolean {
  return custom && !type.startsWith('pulumi:');
}
