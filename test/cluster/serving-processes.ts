import { type FoundProcess, readProcess } from '../kills/processes.ts';
import { findInPod } from './on-node.ts';
import type { Pod } from './rollouts.ts';

/** A serving process: Envoy, the authorisation service or, of a replica, its server, its model loader or a worker. */
export type PartKind = 'edge' | 'authorisation' | 'server' | 'loader' | 'worker';

export interface Part {
  readonly pid: number;
  readonly kind: PartKind;
}

/** Davit's own processes in these pods. */
export async function findParts(pods: readonly Pod[]): Promise<readonly Part[]> {
  const inPods = await Promise.all(pods.map(({ metadata }) => findInPod(metadata.uid)));
  const found = (await Promise.all(inPods.flat().map(readProcess))).filter((p) => p !== undefined);
  const models = new Set(found.filter(isModel).map(({ pid }) => pid));
  return found.flatMap((process) => {
    const kind = kindOf(process, models);
    return kind === undefined ? [] : [{ pid: process.pid, kind }];
  });
}

function kindOf(process: FoundProcess, models: ReadonlySet<number>): PartKind | undefined {
  // A worker is a fork of the loader and has the same command.
  if (isModel(process)) return models.has(process.parent) ? 'worker' : 'loader';
  const { command } = process;
  if (command.includes('davit_server')) return 'server';
  if (command.includes('edge/service.ts')) return 'authorisation';
  return command[0]?.endsWith('/envoy') ? 'edge' : undefined;
}

function isModel({ command }: FoundProcess): boolean {
  return command.includes('davit_server.worker');
}
