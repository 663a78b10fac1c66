import { expect, test } from 'vitest';
import { readRegistries } from '../../app/read-registries.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import { readEnvironment } from '../../schemas/read-project.ts';
import { makeProject, writeFiles } from '../validation/throw-away-project.ts';

test.each([
  ['none', [], ['databricks', 'databricks-uc']],
  ['one with a registry', ['production'], ['databricks']],
  ['several with registries', ['production', 'research'], ['databricks', 'databricks-uc']],
  ['one without a registry, where the variables count', ['staging'], []],
  ['one without a registry and one with', ['staging', 'production'], ['databricks']],
  ['the default one without a registry', ['local'], ['databricks', 'databricks-uc']],
  ['the default one and one without a registry', ['local', 'staging'], []],
] as const)('readRegistries() reads the registries for environments: %s', async (_what, names, wanted) => {
  const make = (name: string, more: string) => `name: ${name}\ntarget: local\n${more}`;
  const root = await makeProject({});
  await writeFiles(root, {
    'environments/local.yaml': make('local', ''),
    'environments/staging.yaml': make('staging', ''),
    'environments/production.yaml': make('production', 'registry: { uri: databricks }\n'),
    'environments/research.yaml': make('research', 'registry: { uri: databricks-uc }\n'),
  });
  const place = { root, endpoints: 'endpoints' };
  const read = await Promise.all(names.map(async (name) => (await readEnvironment(place, name)).value));
  const environments = read.filter((e): e is Environment => e !== undefined);
  expect(environments).toHaveLength(names.length);
  expect((await readRegistries(place, environments)).map((r) => r.uri)).toEqual(wanted);
});
