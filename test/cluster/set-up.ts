import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { parse, stringify } from 'yaml';
import { type Cluster, removeCluster, readClusterStatus, startCluster } from '../../cluster/cluster.ts';
import { describeCluster } from '../../cluster/describe-cluster.ts';
import { renderEnvironment } from '../../cluster/render-environment.ts';
import { makeWorkingProject } from '../cli/working-project.ts';
import { readTraces } from './machine-traces.ts';
import { runDavit } from './run-davit.ts';

const CODE = join(import.meta.dirname, '..', '..');
const options = { progress: { say: (line: string) => process.stderr.write(`${line}\n`) } };

/** The state that all tests on a cluster share. */
export interface SharedCluster {
  /** The project that deployed the platform. */
  readonly root: string;
  /** The name of its environment on the cluster. */
  readonly environment: string;
  /** The cluster of this machine; undefined: the tests were given an environment. */
  readonly cluster: Cluster | undefined;
  /** The state of this machine before the cluster was made; undefined: the cluster existed already. */
  readonly traces: Awaited<ReturnType<typeof readTraces>> | undefined;
}

declare module 'vitest' {
  interface ProvidedContext {
    shared: SharedCluster;
  }
}

/** Short times, so that tests wait for an idle endpoint no longer than Knative needs. */
const SHORT_TIMES = { scale_down_seconds: 2, idle_seconds: 62 };

/**
 * The projects `cluster` and `cluster-alone` share one cluster. The first project that is set up makes it, the last
 * removes it.
 */
interface ClusterUsers {
  count: number;
  made?: Promise<{ readonly shared: SharedCluster; readonly remove: () => Promise<void> }>;
}
/** A global, because each project has its own instance of this module. */
const users = ((globalThis as { davitCluster?: ClusterUsers }).davitCluster ??= { count: 0 });

export default async function setUp({ provide }: TestProject): Promise<() => Promise<void>> {
  users.count++;
  const { shared, remove } = await (users.made ??= make());
  provide('shared', shared);
  return async () => {
    if (--users.count === 0) await remove();
  };
}

/**
 * Makes a cluster and its platform, including Knative, for all files. Uses an existing cluster if there is one or, with
 * DAVIT_TEST_ENVIRONMENT, an environment of this checkout whose platform is deployed. Takes down only what it made.
 */
async function make() {
  const given = process.env['DAVIT_TEST_ENVIRONMENT'];
  const there = given === undefined ? await readClusterStatus(options) : undefined;
  const traces = given === undefined && !there ? await readTraces() : undefined;
  const cluster =
    given === undefined ? (there?.state === 'up' ? there : await startCluster({ ...options, bare: true })) : undefined;
  const project = await makeWorkingProject({});
  const { root } = project;
  const environment = given ?? 'proof';
  const on = ['--environment', environment];
  const file = join(root, 'environments', `${environment}.yaml`);
  const remove = async () => {
    if (cluster) await runDavit(root, ['down', '_platform', ...on]);
    if (traces) await removeCluster(options);
    await project.remove();
  };
  if (cluster) {
    await writeFile(file, await renderTestEnvironment(cluster, environment));
    const { code, stderr } = await runDavit(root, ['up', '_platform', ...on]);
    if (code !== 0) {
      await remove();
      throw new Error(`Cannot deploy the platform: davit ended with ${code ?? 'a signal'}\n${stderr}`);
    }
  } else await cp(join(CODE, 'environments', `${environment}.yaml`), file);
  return { shared: { root, environment, cluster, traces }, remove };
}

async function renderTestEnvironment(cluster: Cluster, name: string): Promise<string> {
  const made = parse(renderEnvironment(await describeCluster(cluster, options))) as object;
  const own = { name, namespace: `${name}-models`, platform_namespace: `${name}-system`, autoscaling: SHORT_TIMES };
  return stringify({ ...made, ...own });
}
