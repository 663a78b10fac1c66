import type { Hardware } from '../../../schemas/environment/hardware.ts';
import { multiplyQuantity } from '../../../schemas/values/multiply-quantity.ts';

/** The files of one replica: in /tmp, and its log on the node. With more the replica is replaced. */
const DEFAULT_TEMPORARY_STORAGE = '10Gi';
/** Without a request of its own, the limit would be reserved on the node. Some nodes do not report any storage. */
const REQUESTED_STORAGE = '0';

/**
 * Makes the resources of one replica. Memory and GPUs are also limits, because any excess would be taken from others.
 * CPU is not limited, so that any replica may use idle CPUs.
 */
export function makeResources({ per, cpu, memory, gpu, temporaryStorage }: Hardware, workers: number) {
  const times = per === 'unit' ? workers : 1;
  const need = { cpu: multiplyQuantity(cpu, times), memory: multiplyQuantity(memory, times) };
  const cards = gpu && { [gpu.resource]: String(gpu.count) };
  const [files, storage] = [temporaryStorage ?? DEFAULT_TEMPORARY_STORAGE, 'ephemeral-storage'];
  return {
    requests: { ...need, [storage]: REQUESTED_STORAGE, ...cards },
    limits: { memory: need.memory, [storage]: files, ...cards },
  };
}
