import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { parse, stringify } from 'yaml';
import { type Cluster, clusterDown, clusterStatus, clusterUp } from '../../offline/cluster/cluster.ts';
import { describeCluster } from '../../offline/cluster/describe-cluster.ts';
import { renderEnvironment } from '../../offline/cluster/render-environment.ts';
import { makeWorkingProject } from '../cli/working-project.ts';
import { readTraces } from './machine-traces.ts';
import { runDavit } from './run-davit.ts';

const CODE = join(import.meta.dirname, '..', '..');
const BEHAVES = join(CODE, 'test', 'fixtures', 'models', 'o_environment');
const options = { progress: { say: (line: string) => process.stderr.write(`${line}\n`) } };

/** What the tests of the project `cluster` share. */
export interface Shared {
  /** A project; its endpoint file is whoever's turn it is. */
  readonly root: string;
  /** Name of its environment on the cluster. */
  readonly environment: string;
  /** A cluster of this machine's own; undefined: an environment that was given. */
  readonly cluster: Cluster | undefined;
  /** What this machine was like before the cluster was made; undefined: it was there. */
  readonly traces: Awaited<ReturnType<typeof readTraces>> | undefined;
}

declare module 'vitest' {
  interface ProvidedContext {
    shared: Shared;
  }
}

/** Short times: nobody waits for an idle minute more than Knative needs. */
const SHORT = { scale_down_seconds: 2, idle_seconds: 62 };

/**
 * Makes a cluster for all files, or uses the one that is there, or, with DAVIT_TEST_ENVIRONMENT, an environment of this
 * checkout whose platform is in place; takes down what it made. A cluster of its own has no Knative before the platform.
 */
export default async function setUp({ provide }: TestProject): Promise<() => Promise<void>> {
  const given = process.env['DAVIT_TEST_ENVIRONMENT'];
  const there = given === undefined ? await clusterStatus(options) : undefined;
  const traces = given === undefined && !there ? await readTraces() : undefined;
  const cluster =
    given === undefined ? (there?.state === 'up' ? there : await clusterUp({ ...options, bare: true })) : undefined;
  const { root, remove } = await makeWorkingProject(
    Object.fromEntries(['1', '2', '3'].map((version) => [`behaves/${version}`, BEHAVES])),
  );
  const environment = given ?? 'proof';
  const file = join(root, 'environments', `${environment}.yaml`);
  if (cluster) await writeFile(file, await describe(cluster, environment));
  else await cp(join(CODE, 'environments', `${environment}.yaml`), file);
  provide('shared', { root, environment, cluster, traces });
  return async () => {
    const on = ['--environment', environment];
    await runDavit(root, ['down', '--all', ...on]);
    if (cluster) await runDavit(root, ['down', '_platform', ...on]);
    if (traces) await clusterDown(options);
    await remove();
  };
}

async function describe(cluster: Cluster, name: string): Promise<string> {
  const made = parse(renderEnvironment(await describeCluster(cluster, options))) as object;
  const own = { name, namespace: `${name}-models`, platform_namespace: `${name}-system`, autoscaling: SHORT };
  return stringify({ ...made, ...own });
}
