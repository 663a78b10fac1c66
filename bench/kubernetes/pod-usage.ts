import { readFileSync } from 'node:fs';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { listProcesses, type ProcessEntry, sumCpuSeconds, sumPssMib } from '../processes.ts';

/** The resources used by the processes of pods, if their node is this machine. */
export interface PodUsage {
  readonly pods: number;
  readonly cpuSeconds: number;
  readonly mebibytes: number;
}

interface Pod {
  readonly metadata: { readonly uid: string; readonly name: string };
}

/** Finds the pods of some namespaces, by namespace. */
export async function findPods(
  api: KubernetesApi,
  namespaces: readonly string[],
): Promise<ReadonlyMap<string, readonly Pod[]>> {
  const found = namespaces.map(async (n) => [n, await api.list<Pod>(`/api/v1/namespaces/${n}/pods`)] as const);
  return new Map(await Promise.all(found));
}

/** Reads the CPU seconds so far, and the memory. Both are NaN, not zero, if no node is this machine. */
export function readPodUsage(pods: readonly Pod[]): PodUsage {
  const processes = listPodProcesses(pods.map((p) => p.metadata.uid));
  if (pods.length > 0 && processes.length === 0) return { pods: pods.length, cpuSeconds: NaN, mebibytes: NaN };
  return { pods: pods.length, cpuSeconds: sumCpuSeconds(processes), mebibytes: sumPssMib(processes) };
}

function listPodProcesses(uids: readonly string[]): readonly ProcessEntry[] {
  const marks = uids.flatMap((uid) => [`pod${uid}`, `pod${uid.replaceAll('-', '_')}`]); // cgroupfs, systemd
  return listProcesses().filter(({ pid }) => {
    const group = readControlGroup(pid);
    return marks.some((mark) => group.includes(mark));
  });
}

function readControlGroup(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return ''; // ended
  }
}
