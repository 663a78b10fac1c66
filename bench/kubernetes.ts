import type { Benchmark } from './benchmark.ts';
import { idle } from './kubernetes/idle.ts';
import { image } from './kubernetes/image.ts';
import { overhead } from './kubernetes/overhead.ts';
import { scale } from './kubernetes/scale.ts';
import { stacks } from './kubernetes/stacks.ts';
import { wake } from './kubernetes/wake.ts';

/** The benchmarks of the Kubernetes target, on the cluster of environments/cluster.yaml and its platform. */
export const KUBERNETES: Readonly<Record<string, Benchmark>> = { overhead, wake, scale, image, stacks, idle };
