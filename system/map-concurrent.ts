import { availableParallelism, totalmem } from 'node:os';

/**
 * Runs `work` on all items, at most `width` at a time. Results keep the order of the items. After the first failure,
 * the promise rejects and no further work starts.
 */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  const stopQueue = (error: unknown) => {
    queue.length = 0;
    throw error;
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, () => worker().catch(stopQueue)));
  return results;
}

/** Makes a function that runs at most `width` pieces of work at a time and queues the others. */
export function limitConcurrency(width: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running < width) running += 1;
    else await new Promise<void>((go) => waiting.push(go));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}

const GIB = 2 ** 30;
const GIB_PER_TASK = 2;
const [LEAST, MOST] = [2, 8];

/** How many proofs or engines this machine can run at a time: one per core, and 2 GiB of memory each. */
export function machineConcurrency(cores = availableParallelism(), bytes = totalmem()): number {
  return Math.max(LEAST, Math.min(MOST, cores, Math.floor(bytes / GIB / GIB_PER_TASK)));
}
