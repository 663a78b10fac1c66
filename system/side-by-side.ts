import { availableParallelism, totalmem } from 'node:os';

/** Works on all items, at most `width` at once; results in the order of the items. The first failure rejects. */
export async function sideBySide<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}

/** Lets at most `width` of what is given to it run at once; the others wait in line. */
export function takeTurns(width: number): <T>(work: () => Promise<T>) => Promise<T> {
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
const GIB_EACH = 2;
const [LEAST, MOST] = [2, 8];

/** How many proofs or engines this machine has room for at once: one a core, and 2 GiB each. */
export function machineWidth(cores = availableParallelism(), bytes = totalmem()): number {
  return Math.max(LEAST, Math.min(MOST, cores, Math.floor(bytes / GIB / GIB_EACH)));
}
