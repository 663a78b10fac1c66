import { inject } from 'vitest';
import type { Cluster } from '../../cluster/cluster.ts';

/** The cluster of this machine, for tests of its node, its registry or its engine. */
export function requireLocalCluster(): Cluster {
  const { cluster } = inject('shared');
  if (cluster) return cluster;
  throw new Error('Cannot find a cluster of this machine: the tests were given an environment');
}
