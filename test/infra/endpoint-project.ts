import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { renderLock } from '../../schemas/lock/lock.ts';

const CODE = join(import.meta.dirname, '..', '..');

export interface EntityChoice {
  readonly version: number;
  readonly percentage: number;
  readonly max?: number;
  readonly environmentVars?: Readonly<Record<string, string>>;
}

/** Makes a project with the real program and the stub provider; it is removed after the test. */
export async function makeEndpointProject() {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'davit-infra-')));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  };
  await write('Pulumi.yaml', PULUMI_YAML);
  await write('environments/here.yaml', 'name: here\ntarget: local\n');
  const declare = async (entities: Readonly<Record<string, EntityChoice>>) => {
    await write('endpoints/iris.yaml', makeEndpointFile(entities));
    await write('endpoints/iris.lock', makeLock(entities));
  };
  return { root, write, declare };
}

function makeEndpointFile(entities: Readonly<Record<string, EntityChoice>>): string {
  const served = Object.entries(entities).map(([name, { version, max = 4, environmentVars = {} }]) => ({
    name,
    entity_name: 'iris',
    entity_version: version,
    max_provisioned_concurrency: max,
    min_provisioned_concurrency: 1,
    environment_vars: environmentVars,
  }));
  const routes = Object.entries(entities).map(([name, { percentage }]) => ({
    served_entity_name: name,
    traffic_percentage: percentage,
  }));
  return stringify({ name: 'iris', config: { served_entities: served, traffic_config: { routes } } });
}

const VIRTUALENV = 'python3.11-0123456789';

/** A lock as validation would write it, less the packages. */
export function makeLock(entities: Readonly<Record<string, Pick<EntityChoice, 'version'>>>): string {
  const locked = Object.entries(entities).map(([name, { version }]) => [
    name,
    {
      model: {
        name: 'iris',
        version: String(version),
        digest: `sha256:${String(version).repeat(64)}`,
        python_version: '3.11.7',
      },
      requirements: [],
      virtualenv: VIRTUALENV,
      signature: { inputs: null, outputs: null, params: null },
    },
  ]);
  return renderLock({
    lock_version: 1,
    endpoint: 'iris',
    entities: Object.fromEntries(locked) as Parameters<typeof renderLock>[0]['entities'],
    virtualenvs: { [VIRTUALENV]: { python: '3.11', platform: 'x86_64-manylinux_2_28', packages: [] } },
  });
}

const PULUMI_YAML = `
name: davit
runtime: { name: nodejs, options: { typescript: false } }
main: ${join(CODE, 'infra')}
stackConfigDir: .davit/stacks
backend: { url: 'file://.davit/pulumi?metadata=skip' }
plugins: { providers: [{ name: davit, path: ${join(import.meta.dirname, 'stub')} }] }
`;
