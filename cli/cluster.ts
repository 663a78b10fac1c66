import { type Cluster, clusterDown, clusterStatus, clusterUp } from '../offline/cluster/cluster.ts';
import { type Command, type Context, type Outcome, UsageError } from './command.ts';

export const cluster: Command = {
  summary: 'Make, look at or remove a Kubernetes cluster to try things on',
  usage: 'up|status|down',
  help: `In the first of these ways that this machine has:
  --context NAME   a cluster of your own: looked at, never changed
  kind             where kind is on the PATH and Docker runs: the cluster "davit" and a registry, in Docker
  a node           on Linux as root: Kubernetes, containerd, a registry and Knative Serving on this machine, built once
                   from Go modules and Debian packages (a quarter of an hour on two idle cores, then half a minute)

  davit cluster up
  davit cluster status --json
  davit cluster down`,
  options: {
    bare: { type: 'boolean', help: 'Kubernetes and a registry only, without Knative: for trying to install it' },
    context: { type: 'string', value: 'NAME', help: "A context of kubectl's: use that cluster" },
  },
  args: { min: 1, max: 1 },
  run: runCluster,
};

const NOTHING: Outcome = { diagnostics: [], result: null, text: '' };

async function runCluster({ args, options, progress, signal }: Context): Promise<Outcome> {
  const { context, bare } = options;
  const asked = { progress, signal, ...(typeof context === 'string' && { context }), bare: bare === true };
  switch (args[0] ?? '') {
    case 'up':
      return outcome(await clusterUp(asked));
    case 'status': {
      const found = await clusterStatus(asked);
      return found
        ? outcome(found)
        : { ...NOTHING, text: 'No cluster. Make one with: davit cluster up\n', failed: true };
    }
    case 'down': {
      const removed = await clusterDown(asked);
      return { ...NOTHING, result: { removed: removed ?? null }, text: DOWN[removed ?? 'none'] };
    }
    default:
      throw new UsageError(`Cannot run "cluster ${args[0] ?? ''}": expected up, status or down`);
  }
}

const DOWN = {
  none: 'There was no cluster\n',
  context: 'Left as it is: it is not ours to remove\n',
  kind: 'The cluster of kind and its registry are gone\n',
  node: 'The node is gone, without a trace; what was built for it is kept in the cache\n',
};

function outcome(found: Cluster): Outcome {
  return { ...NOTHING, result: found, text: render(found), failed: found.state !== 'up' };
}

function render(found: Cluster): string {
  const words = { context: 'your own cluster', kind: 'a cluster of kind', node: 'a node on this machine' }[found.kind];
  const versions = [
    found.kubernetes && `Kubernetes ${found.kubernetes}`,
    found.knative ? `Knative Serving ${found.knative}` : 'no Knative Serving',
  ];
  const lines = [
    found.state === 'up'
      ? `Up: ${words}, ${versions.filter(Boolean).join(', ')}`
      : `Not answering: ${words} (${found.reason ?? ''})`,
    found.registry && `Registry: ${found.registry}, for images that the cluster is to run`,
    found.kubeconfig ? `export KUBECONFIG=${found.kubeconfig}` : `kubectl --context ${found.context ?? ''} get pods -A`,
  ];
  return `${lines.filter(Boolean).join('\n')}\n`;
}
