import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const CODE = dirname(dirname(import.meta.dirname));

/** A project in a temporary folder that deploys with this code: Pulumi.yaml, an environment, and the models given. */
export async function makeWorkingProject(models: Readonly<Record<string, string>>) {
  const root = await mkdtemp(join(tmpdir(), 'davit-working-'));
  const pulumi = await readFile(join(CODE, 'Pulumi.yaml'), 'utf8');
  const pointed = pulumi
    .replace('main: infra/', `main: ${join(CODE, 'infra')}`)
    .replace('path: ./local', `path: ${join(CODE, 'local')}`);
  for (const folder of ['endpoints', 'environments']) await mkdir(join(root, folder));
  await writeFile(join(root, 'Pulumi.yaml'), pointed);
  await writeFile(join(root, 'environments', 'local.yaml'), 'name: local\ntarget: local\n');
  for (const [place, from] of Object.entries(models)) {
    await mkdir(dirname(join(root, 'models', place)), { recursive: true });
    await cp(from, join(root, 'models', place), { recursive: true, filter: (f) => !f.endsWith('__pycache__') });
  }
  return { root, remove: () => rm(root, { recursive: true, force: true }) };
}
