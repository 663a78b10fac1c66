export const WORKLOAD_SIZES = { Small: [4, 4], Medium: [8, 16], Large: [16, 64] } as const;

export const WORKLOAD_TYPES = [
  'CPU',
  'CPU_MEDIUM',
  'CPU_LARGE',
  'GPU_SMALL',
  'GPU_MEDIUM',
  'GPU_MEDIUM_4',
  'GPU_MEDIUM_8',
  'MULTIGPU_MEDIUM',
  'GPU_LARGE',
  'GPU_LARGE_2',
  'GPU_LARGE_4',
  'GPU_LARGE_8',
  'GPU_XLARGE',
  'GPU_XLARGE_8',
] as const;

export type WorkloadType = (typeof WORKLOAD_TYPES)[number];

/** Whether a workload type has GPUs. */
export function isGpu(type: WorkloadType): boolean {
  return type.includes('GPU');
}
