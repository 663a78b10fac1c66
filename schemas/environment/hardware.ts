import type { WorkloadType } from '../endpoint/workload.ts';

/** The Kubernetes resources of one replica (`per: replica`) or of one unit of concurrency (`per: unit`). */
export interface Hardware {
  /** `unit`: multiply CPU and memory by the workers of a replica. `replica`: use them unchanged. */
  readonly per: 'unit' | 'replica';
  /** Requests, as Kubernetes quantities. The memory request is also the memory limit. */
  readonly cpu: string;
  readonly memory: string;
  /** The limit of a replica's files in /tmp. Undefined: the target's default. */
  readonly temporaryStorage?: string | undefined;
  /** Undefined: no GPU. */
  readonly gpu: GpuShare | undefined;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  /** Seconds until a revision must be ready: Databricks' 30, 60 and 120 minutes. */
  readonly deploymentSeconds: number;
  /** Maximum seconds that a request waits for a replica to start: image pull, model load, first prediction. */
  readonly coldStartSeconds: number;
}

export interface GpuShare {
  /** The extended resource: `nvidia.com/gpu`. */
  readonly resource: string;
  readonly count: number;
  /** For display: `T4, 16 GB`. */
  readonly model: string;
}

/** A Kubernetes toleration. */
export interface Toleration {
  readonly key?: string;
  readonly operator?: 'Exists' | 'Equal';
  readonly value?: string;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** The hardware of an environment by workload type. An absent type is unavailable. */
export type HardwareTable = Readonly<Partial<Record<WorkloadType, Hardware>>>;
