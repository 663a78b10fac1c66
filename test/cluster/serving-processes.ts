import { type ProcessInfo, readProcess } from '../kills/processes.ts';
import { findPodProcesses } from './on-node.ts';
import type { Pod } from './rollouts.ts';

/** A serving process: Envoy, the authorisation service or, of a replica, its server, its model loader or a worker. */
export type PodProcessKind = 'edge' | 'authorisation' | 'server' | 'loader' | 'worker';

export interface PodProcess {
  readonly pid: number;
  readonly kind: PodProcessKind;
}

/** Davit's own processes in these pods. */
export async function findServingProcesses(pods: readonly Pod[]): Promise<readonly PodProcess[]> {
  const inPods = await Promise.all(pods.map(({ metadata }) => findPodProcesses(metadata.uid)));
  const found = (await Promise.all(inPods.flat().map(readProcess))).filter((p) => p !== undefined);
  const models = new Set(found.filter(isModelProcess).map(({ pid }) => pid));
  return found.flatMap((process) => {
    const kind = classifyProcess(process, models);
    return kind === undefined ? [] : [{ pid: process.pid, kind }];
  });
}

function classifyProcess(process: ProcessInfo, models: ReadonlySet<number>): PodProcessKind | undefined {
  // A worker is a fork of the loader and has the same command.
  if (isModelProcess(process)) return models.has(process.parent) ? 'worker' : 'loader';
  const { command } = process;
  if (command.includes('davit_server')) return 'server';
  if (command.includes('edge/service.ts')) return 'authorisation';
  return command[0]?.endsWith('/envoy') ? 'edge' : undefined;
}

function isModelProcess({ command }: ProcessInfo): boolean {
  return command.includes('davit_server.worker');
}
