import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { openPulumiFolder } from '../../../engine/pulumi-project.ts';
import { upStack } from '../../../engine/run-pulumi.ts';
import type { Cluster } from '../../../cluster/cluster.ts';
import { describeCluster } from '../../../cluster/describe-cluster.ts';
import { renderEnvironment } from '../../../cluster/render-environment.ts';
import type { BuildOptions } from '../../../system/go-build.ts';
import { imagesStackName, PLATFORM, platformStackName } from '../../../schemas/values/names.ts';

const CODE = join(import.meta.dirname, '..', '..', '..');

/** Fields of an environment file. */
export type EnvironmentFields = Readonly<Record<string, unknown>>;

/** Makes a project with the real program for an environment of its own on the cluster that `base` describes. */
export async function makePlatformProject(name: string, base: EnvironmentFields) {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'davit-platform-')));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, 'environments'));
  await writeFile(join(root, 'Pulumi.yaml'), PULUMI_YAML);
  const declare = async (changes: EnvironmentFields = {}) => {
    const own = { name, namespace: `${name}-models`, platform_namespace: `${name}-system` };
    await writeFile(join(root, 'environments', `${name}.yaml`), stringify({ ...base, ...own, ...changes }));
  };
  await declare();
  const project = await openPulumiFolder(root);
  const environment = { ...project.environment, DAVIT_ENVIRONMENT: name };
  const built = await upStack({ ...project, environment }, imagesStackName(PLATFORM));
  if (built.status !== 'succeeded') throw new Error(`Cannot build the image: ${JSON.stringify(built.failures)}`);
  return { root, project, stack: platformStackName(name), declare };
}

/** What `davit cluster up` says of its cluster. */
export async function describeEnvironment(cluster: Cluster, options: BuildOptions): Promise<EnvironmentFields> {
  return parse(renderEnvironment(await describeCluster(cluster, options))) as EnvironmentFields;
}

const PULUMI_YAML = `
name: davit
runtime: { name: nodejs, options: { typescript: false } }
main: ${join(CODE, 'infra')}
stackConfigDir: .davit/stacks
backend: { url: 'file://.davit/pulumi?metadata=skip' }
plugins: { providers: [{ name: davit, path: ${join(import.meta.dirname, '..', 'stub')} }] }
`;
