import { z } from 'zod';
import type { FakeCall } from './call.ts';
import type { Json } from './contract.ts';
import { find, Refusal } from './refusal.ts';
import { type Deployment, makeAuthor } from './world.ts';

const DESCRIPTION_CHARACTERS = 140;

const newDeployment = z.looseObject({
  ref: z.string(),
  task: z.string().default('deploy'),
  environment: z.string().default('production'),
  payload: z.unknown(),
  auto_merge: z.boolean().default(true),
});

export function createDeployment({ world, login, body, example }: FakeCall): Json {
  const { ref, task, environment, payload, auto_merge } = newDeployment.parse(body);
  if (auto_merge) throw new Refusal(409, 'Conflict: the fake merges nothing, expected auto_merge false');
  const deployment = {
    id: world.nextId(),
    sha: ref,
    task,
    environment,
    payload,
    creator: makeAuthor(login),
    createdAt: new Date().toISOString(),
    statuses: [],
  };
  world.deployments.push(deployment);
  return answerDeployment(deployment, example as Json);
}

export function createStatus({ world, params, body, example }: FakeCall): Json {
  const deployment = find(world.deployments, (d) => d.id === Number(params['deployment_id']));
  const status = body as Json;
  const { description = '' } = z.looseObject({ description: z.string().optional() }).parse(body);
  if (description.length > DESCRIPTION_CHARACTERS)
    throw new Refusal(422, 'Validation Failed', [
      { resource: 'DeploymentStatus', code: 'custom', field: 'description', message: 'is too long (maximum 140)' },
    ]);
  deployment.statuses.push({ id: world.nextId(), ...status });
  return answerStatus(deployment.statuses.at(-1) ?? {}, deployment, example as Json);
}

export function answerDeployment({ id, sha, task, environment, payload, createdAt }: Deployment, example: Json): Json {
  const node_id = `DE_${id}`;
  return {
    ...example,
    id,
    node_id,
    sha,
    ref: sha,
    task,
    environment,
    payload,
    created_at: createdAt,
    updated_at: createdAt,
  };
}

function answerStatus(status: Json, { environment }: Deployment, example: Json): Json {
  return {
    ...example,
    environment,
    environment_url: undefined,
    log_url: undefined,
    ...status,
    auto_inactive: undefined,
  };
}
