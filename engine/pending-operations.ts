import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend } from './backend.ts';

/** What an engine that was killed had begun and not noted the end of. */
export interface PendingOperation {
  readonly urn: string;
  readonly type: string;
  /** `creating`, `updating`, `deleting`, `reading` or `importing`. */
  readonly operation: string;
}

interface Deployment {
  readonly pending_operations?: readonly {
    readonly type: string;
    readonly resource: { readonly urn: string; readonly type: string };
  }[];
}

/** Reads what is pending in a stack's state: its file, or for another backend what `exportState` gives. */
export async function readPendingOperations(
  stack: string,
  backend: Backend,
  exportState: () => Promise<string>,
): Promise<readonly PendingOperation[]> {
  const file = backend.folder && join(backend.folder, '.pulumi', 'stacks', backend.project, `${stack}.json`);
  const text = file ? await readFile(file, 'utf8').catch(() => undefined) : undefined;
  return parsePendingOperations(text ?? (await exportState()));
}

/** Parses the state of a stack, as a file backend keeps it or as `pulumi stack export` prints it. */
export function parsePendingOperations(text: string): readonly PendingOperation[] {
  const state = JSON.parse(text) as { checkpoint?: { latest?: Deployment }; deployment?: Deployment };
  const pending = (state.checkpoint?.latest ?? state.deployment)?.pending_operations ?? [];
  return pending.map(({ type: operation, resource: { urn, type } }) => ({ urn, type, operation }));
}

/**
 * The arguments of the `pulumi refresh` that settles what is pending: what was being created is looked for under its id
 * and taken into the state when it is there, so that it is neither forgotten nor made twice; the rest is read anew.
 */
export function makeSettleArguments(pending: readonly PendingOperation[]): readonly string[] {
  const creates = pending.filter(({ type, operation }) => operation === 'creating' && OWN_TYPE.test(type));
  const ids = creates.flatMap(({ urn }) => [urn, urn.split('::').slice(3).join('::')]);
  const imports = ids.length > 0 ? ['--import-pending-creates', ids.join(',')] : [];
  return ['refresh', '--yes', '--skip-preview', ...imports, '--clear-pending-creates'];
}

/** Resources of our own providers: their id is their Pulumi name, which is why they can be found again. */
const OWN_TYPE = /^davit:/;
