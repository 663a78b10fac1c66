import { isGpu, type WorkloadType } from './workload.ts';

/**
 * How the workers of one replica load the model. `shared`: one process loads it, and the workers are forks of that
 * process. `separate`: each worker loads it. `one`: the process that loads it is the only worker.
 */
export const WORKER_MODES = ['shared', 'separate', 'one'] as const;
export type WorkerMode = (typeof WORKER_MODES)[number];

/**
 * The mode that the model server chose, and the resources it found that a fork would share. Empty: the model may fork.
 */
export interface ModelLoading {
  readonly mode: WorkerMode;
  /** For display: `2 threads`, `1 open file`. */
  readonly found: readonly string[];
  /** The model has predicted nothing before it was ready, because it has no input that it accepts. */
  readonly isOnlyLoaded?: true;
}

/** Parses a model server's report. Returns undefined for an unknown mode. An older server does not report `rehearsed`. */
export function parseModelLoading({
  worker_mode: mode,
  found,
  rehearsed,
}: ModelLoadingFields): ModelLoading | undefined {
  const known = WORKER_MODES.find((m) => m === mode);
  if (known === undefined) return undefined;
  return {
    mode: known,
    found: Array.isArray(found) ? found.filter((f) => typeof f === 'string') : [],
    ...(rehearsed === false && { isOnlyLoaded: true }),
  };
}

interface ModelLoadingFields {
  readonly worker_mode?: unknown;
  readonly found?: unknown;
  readonly rehearsed?: unknown;
}

/** What an endpoint file says of an entity's workers. */
interface EntityWorkers {
  readonly workloadType: WorkloadType;
  /** Undefined: as found. */
  readonly workerMode?: WorkerMode | undefined;
}

/** The mode to start a model server with. `found`: the server inspects the loaded model and decides. */
export function chooseWorkerMode({ workloadType, workerMode }: EntityWorkers): WorkerMode | 'found' {
  return isGpu(workloadType) ? 'one' : (workerMode ?? 'found');
}

/** Whether the other workers of a replica may load the model again after the first worker. */
export function mayLoadAgain(mode: WorkerMode | 'found', workers: number): boolean {
  return workers > 1 && (mode === 'found' || mode === 'separate');
}

/**
 * For display: `loaded once, shared by 4 workers`, `loaded per worker: 2 threads, 1 open file`. Shared workers have
 * findings only if the endpoint file demands that they are shared.
 */
export function renderModelLoading(loading: ModelLoading & { readonly count: number }): string {
  const asked = loading.isOnlyLoaded ? '; only loaded: it has no input that the model accepts' : '';
  return `${renderMode(loading)}${asked}`;
}

function renderMode({ mode, found, count }: ModelLoading & { readonly count: number }): string {
  const why = found.length === 0 ? '' : `: ${found.join(', ')}`;
  if (mode === 'separate') return `loaded per worker${why}`;
  return `loaded once, ${mode === 'one' || count === 1 ? '1 worker' : `shared by ${count} workers`}${why}`;
}
