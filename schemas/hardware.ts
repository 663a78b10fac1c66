import type { WorkloadType } from './endpoint.ts';

/** What one replica (GPU types) or one unit of concurrency (CPU types) of a workload type gets from Kubernetes. */
export interface Hardware {
  /** `unit`: times the workers of a replica; `replica`: as it is. */
  readonly per: 'unit' | 'replica';
  /** Kubernetes quantities: requested; memory is the limit too. */
  readonly cpu: string;
  readonly memory: string;
  /** Undefined: none. */
  readonly gpu: GpuShare | undefined;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  /** Seconds until a revision must be ready: Databricks' 30, 60 and 120 minutes. */
  readonly deploymentSeconds: number;
  /** Seconds that a request waits, at most, for a replica that has to start: image, load, first prediction. */
  readonly coldStartSeconds: number;
}

export interface GpuShare {
  /** The extended resource: `nvidia.com/gpu`. */
  readonly resource: string;
  readonly count: number;
  /** For a person: `T4, 16 GB`. */
  readonly model: string;
}

/** Kubernetes' own. */
export interface Toleration {
  readonly key?: string;
  readonly operator?: 'Exists' | 'Equal';
  readonly value?: string;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** The hardware of an environment, by workload type; an absent type is not to be had there. */
export type HardwareTable = Readonly<Partial<Record<WorkloadType, Hardware>>>;
