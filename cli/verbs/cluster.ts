import {
  type EnvironmentFile,
  makeTrialCluster,
  readTrialCluster,
  removeTrialCluster,
  type TrialCluster,
} from '../../app/trial-cluster.ts';
import { type Command, type Context, type Outcome, UsageError } from '../command.ts';
import { NoProjectError } from '../find-project-root.ts';

export const cluster: Command = {
  summary: 'Make, look at or remove a Kubernetes cluster to try things on',
  usage: 'up|status|down',
  help: `In the first of these ways that this machine has:
  --context NAME   a cluster of your own: looked at, never changed
  kind             where kind is on the PATH and Docker runs: the cluster "davit" and a registry, in Docker
  a node           on Linux as root: Kubernetes, containerd, Docker's engine, a registry and Knative Serving on this
                   machine, built once from Go modules and Debian packages (15 minutes on two idle cores, then half a
                   minute)

"up" writes environments/cluster.yaml into the project it is called in, which describes the cluster: then
"davit up _platform --env cluster" and "davit up NAME --env cluster" work. "down" removes it. One that you wrote or
changed is never touched.

  davit cluster up
  davit cluster up --context mine --registry ghcr.io/acme/models
  davit cluster status --json
  davit cluster down`,
  options: {
    bare: { type: 'boolean', help: 'Without Knative: then "davit up _platform --env cluster" installs it' },
    context: { type: 'string', value: 'NAME', help: "A context of kubectl's: use that cluster" },
    registry: { type: 'string', value: 'HOST/PATH', help: 'Where images go, in environments/cluster.yaml' },
  },
  args: { min: 1, max: 1 },
  run: runCluster,
};

const NOTHING: Outcome = { diagnostics: [], result: null, text: '' };

async function runCluster(context: Context): Promise<Outcome> {
  const { args, options, progress, signal } = context;
  const { context: name, registry } = options;
  const request = {
    progress,
    signal,
    ...(typeof name === 'string' && { context: name }),
    bare: options['bare'] === true,
  };
  switch (args[0] ?? '') {
    case 'up':
      return up({ ...request, root: findProject(context), ...(typeof registry === 'string' && { registry }) });
    case 'status': {
      const found = await readTrialCluster(request);
      return found
        ? outcome(found)
        : { ...NOTHING, text: 'No cluster. Make one with: davit cluster up\n', failed: true };
    }
    case 'down':
      return down({ ...request, root: findProject(context) });
    default:
      throw new UsageError(`Cannot run "cluster ${args[0] ?? ''}": expected up, status or down`);
  }
}

async function up(request: Parameters<typeof makeTrialCluster>[0]): Promise<Outcome> {
  const { cluster: found, environmentFile } = await makeTrialCluster(request);
  const made = outcome(found);
  const { path, state } = environmentFile;
  if (state === 'no-project')
    return { ...made, text: `${made.text}In a project, "davit cluster up" also writes ${path}\n` };
  return {
    ...made,
    result: { ...found, environmentFile: { path, state } },
    text: `${made.text}${sayNext(environmentFile)}`,
  };
}

async function down(request: Parameters<typeof removeTrialCluster>[0]): Promise<Outcome> {
  const { kind, environmentFile } = await removeTrialCluster(request);
  const text = `${DOWN[kind ?? 'none']}${environmentFile === undefined ? '' : `Removed ${environmentFile}\n`}`;
  const result = { removed: kind ?? null, environmentFileRemoved: environmentFile !== undefined };
  return { ...NOTHING, result, text };
}

/** The project, if any: a cluster needs none. */
function findProject(context: Context): string | undefined {
  try {
    return context.root;
  } catch (e) {
    if (e instanceof NoProjectError) return undefined;
    throw e;
  }
}

function sayNext({ path, state, placeholder }: EnvironmentFile): string {
  const next = 'npx davit up _platform --env cluster && npx davit up --env cluster';
  if (state === 'theirs')
    return `${path} is yours and stays as it is; without it, this command writes one\nNext: ${next}\n`;
  const what = `${path} describes it`;
  return placeholder === undefined
    ? `${what}\nNext: ${next}\n`
    : `${what}; fill in what is marked ${placeholder}\nThen: ${next}\n`;
}

const DOWN = {
  none: 'There was no cluster\n',
  context: 'Your own cluster stays as it is\n',
  kind: 'Removed the kind cluster and its registry\n',
  node: 'Removed the node; what was built for it stays in the cache\n',
};

function outcome(found: TrialCluster['cluster']): Outcome {
  return { ...NOTHING, result: found, text: render(found), failed: found.state !== 'up' };
}

function render(found: TrialCluster['cluster']): string {
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
