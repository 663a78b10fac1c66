import type { Hardware } from '../../../schemas/environment/hardware.ts';
import { multiplyQuantity } from '../../../schemas/values/multiply-quantity.ts';

/**
 * Makes the resources of one replica. Memory and GPUs are also limits, because any excess would be taken from others.
 * CPU is not limited, so that any replica may use idle CPUs.
 */
export function makeResources({ per, cpu, memory, gpu }: Hardware, workers: number) {
  const times = per === 'unit' ? workers : 1;
  const need = { cpu: multiplyQuantity(cpu, times), memory: multiplyQuantity(memory, times) };
  const cards = gpu && { [gpu.resource]: String(gpu.count) };
  return { requests: { ...need, ...cards }, limits: { memory: need.memory, ...cards } };
}
