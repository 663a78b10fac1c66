import { codePath } from '../../../system/code.ts';
import type { Seed } from '../github/fake/seed.ts';
import { type Files, UserRepository } from './user-repository.ts';

export type { TestPullRequest } from './user-repository.ts';

/** An endpoint file with one served entity, by the endpoint's name, that never sleeps. */
export function declareEndpoint(name: string, model: string, version: string): string {
  const entity = `name: ${name}, entity_name: ${model}, entity_version: "${version}", workload_size: Small`;
  // The two example models do not answer alike.
  const reason = JSON.stringify(`${model} ${version} answers in its own way`);
  return `name: ${name}\nconfig:\n  served_entities:\n    - { ${entity}, scale_to_zero_enabled: false }\ndavit:\n  breaking: ${reason}\n`;
}

/** One of Davit's example models, to copy. */
export function exampleModel(version: '1' | '2') {
  return { from: codePath('models', 'iris', version) };
}

/** One of the tests' models, to copy. */
export function fixtureModel(name: string) {
  return { from: codePath('test', 'fixtures', 'models', name) };
}

/** The documented repository with one environment, `staging`: this machine. Its workflows may be edited. */
export function makeUserRepository(
  files: Files,
  seed: Partial<Seed> = {},
  edit = (text: string) => text,
): Promise<UserRepository> {
  const environment = { 'environments/staging.yaml': 'name: staging\ntarget: local\n' };
  return UserRepository.make({ ...environment, ...files }, seed, (text) =>
    edit(text.replace('environments: staging production', 'environments: staging')),
  );
}
