import { isGpu, type WorkloadType } from '../endpoint/workload.ts';
import type { Hardware, HardwareTable } from './hardware.ts';

const HOUR = 3600;
const CPU_COLD_START_SECONDS = 300;
const GPU_COLD_START_SECONDS = 900;

const ANY_NODE = { gpu: undefined, nodeSelector: {}, tolerations: [] } as const;
const CPU_TIMEOUTS = { deploymentSeconds: HOUR / 2, coldStartSeconds: CPU_COLD_START_SECONDS } as const;

const GPU_TOLERATIONS: Hardware['tolerations'] = [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }];

/**
 * Databricks' workload types. Databricks documents 4 GB for each unit of concurrency on CPU, and the GPUs of each
 * replica. For CPU_MEDIUM and CPU_LARGE it documents only that they have more memory. It documents nothing for
 * GPU_XLARGE, so each environment must define that type. The CPU and memory beside a GPU are what an AWS or Azure
 * machine with that many GPUs has available. Node selectors use the labels of NVIDIA's GPU feature discovery.
 */
export const DEFAULT_HARDWARE: HardwareTable = {
  CPU: { per: 'unit', cpu: '500m', memory: '4Gi', ...ANY_NODE, ...CPU_TIMEOUTS },
  CPU_MEDIUM: { per: 'unit', cpu: '500m', memory: '8Gi', ...ANY_NODE, ...CPU_TIMEOUTS },
  CPU_LARGE: { per: 'unit', cpu: '500m', memory: '16Gi', ...ANY_NODE, ...CPU_TIMEOUTS },
  GPU_SMALL: gpu({ count: 1, product: 'Tesla-T4', model: '1 × T4, 16 GB', cpu: '3', memory: '12Gi' }),
  GPU_MEDIUM: gpu({ count: 1, product: 'NVIDIA-A10G', model: '1 × A10G, 24 GB', cpu: '6', memory: '24Gi' }),
  GPU_MEDIUM_4: gpu({ count: 4, product: 'NVIDIA-A10G', model: '4 × A10G, 96 GB', cpu: '40', memory: '160Gi' }),
  MULTIGPU_MEDIUM: gpu({ count: 4, product: 'NVIDIA-A10G', model: '4 × A10G, 96 GB', cpu: '40', memory: '160Gi' }),
  GPU_MEDIUM_8: gpu({ count: 8, product: 'NVIDIA-A10G', model: '8 × A10G, 192 GB', cpu: '80', memory: '640Gi' }),
  GPU_LARGE: gpu({ count: 1, product: 'NVIDIA-A100-80GB-PCIe', model: '1 × A100, 80 GB', cpu: '20', memory: '200Gi' }),
  GPU_LARGE_2: gpu({
    count: 2,
    product: 'NVIDIA-A100-80GB-PCIe',
    model: '2 × A100, 160 GB',
    cpu: '40',
    memory: '400Gi',
  }),
  GPU_LARGE_4: gpu({
    count: 4,
    product: 'NVIDIA-A100-80GB-PCIe',
    model: '4 × A100, 320 GB',
    cpu: '80',
    memory: '800Gi',
  }),
  GPU_LARGE_8: gpu({
    count: 8,
    product: 'NVIDIA-A100-SXM4-80GB',
    model: '8 × A100, 640 GB',
    cpu: '90',
    memory: '1000Gi',
  }),
};

/** The common fields of a workload type whose CPU and memory have no default. */
export function makeHardwareDefaults(type: WorkloadType): Omit<Hardware, 'cpu' | 'memory'> {
  if (!isGpu(type)) return { per: 'unit', ...ANY_NODE, ...CPU_TIMEOUTS };
  return {
    per: 'replica',
    ...ANY_NODE,
    tolerations: GPU_TOLERATIONS,
    deploymentSeconds: 2 * HOUR,
    coldStartSeconds: GPU_COLD_START_SECONDS,
  };
}

interface GpuMachine {
  readonly count: number;
  readonly product: string;
  readonly model: string;
  readonly cpu: string;
  readonly memory: string;
}

/** Databricks allows one hour to deploy small GPU types and two hours for large ones. */
function gpu({ count, product, model, cpu, memory }: GpuMachine): Hardware {
  const large = count > 1 || !/T4|A10G/.test(product);
  return {
    per: 'replica',
    cpu,
    memory,
    gpu: { resource: 'nvidia.com/gpu', count, model },
    nodeSelector: { 'nvidia.com/gpu.product': product },
    tolerations: GPU_TOLERATIONS,
    deploymentSeconds: large ? 2 * HOUR : HOUR,
    coldStartSeconds: GPU_COLD_START_SECONDS,
  };
}
