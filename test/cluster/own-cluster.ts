import { inject } from 'vitest';
import type { Cluster } from '../../offline/cluster/cluster.ts';

/** For tests of what only a cluster of this machine's own has: its node, its registry, its engine. */
export function ownCluster(): Cluster {
  const { cluster } = inject('shared');
  if (cluster) return cluster;
  throw new Error('Cannot find a cluster of this machine: the tests were given an environment');
}
