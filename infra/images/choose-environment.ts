import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { type ProjectFolders, readEnvironment } from '../../schemas/read-project.ts';
import type { ProgramRun } from '../program-run.ts';
import { readPlatform } from '../read-platform.ts';

/** The environment whose registry and base images to use: DAVIT_ENVIRONMENT, else the only one on Kubernetes. */
export async function chooseEnvironment(
  place: ProjectFolders,
  { variables }: Pick<ProgramRun, 'variables'>,
): Promise<KubernetesEnvironment> {
  const named = variables['DAVIT_ENVIRONMENT'];
  if (named) return readPlatform(place, named);
  const files = (await readdir(join(place.root, 'environments')).catch(() => []))
    .filter((f) => f.endsWith('.yaml'))
    .sort();
  const read = await Promise.all(files.map((f) => readEnvironment(place, f.slice(0, -'.yaml'.length))));
  const found = read.flatMap(({ value }) => (value?.target === 'kubernetes' ? [value] : []));
  const [only, second] = found;
  if (only && !second) return only;
  const names = found.map((e) => e.name).join(', ') || 'none';
  throw new pulumi.RunError(
    `Cannot choose the environment to build images for: DAVIT_ENVIRONMENT is not set, expected an environment on Kubernetes: ${names}`,
  );
}
