import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseLockedRequirements } from '../python/ensure-front-virtualenv.ts';
import type { Endpoint, Entity } from '../schemas/endpoint/endpoint.ts';
import type { ImageSettings, ProvenancePolicy } from '../schemas/environment/kubernetes-environment.ts';
import { endpointObjectName } from '../schemas/environment/kubernetes-names.ts';
import type { Lock, LockedPackage } from '../schemas/lock/lock.ts';
import { contentHash } from '../schemas/values/names.ts';
import { digestModel } from '../system/model-digest.ts';
import { describeImageProblem } from './describe-image-problem.ts';
import { FRONT_REQUIREMENTS, SERVER_SOURCES, SETTLE_SCRIPT } from './image-paths.ts';
import { renderDockerfile } from './render-dockerfile.ts';
import { readOwn } from '../schemas/values/read-own.ts';

export interface ImageRequest {
  readonly endpoint: Pick<Endpoint, 'name'>;
  readonly entity: Pick<Entity, 'name'>;
  readonly lock: Lock;
  readonly settings: ImageSettings;
}

/** The image of a served entity, planned before the build. */
export interface ImagePlan {
  /** `ghcr.io/acme/models/iris-1a2b3c4d:STACK-MODEL`, each 32 hex digits. The tag is a hash of the content. */
  readonly reference: string;
  /** The reference without the tag. Each endpoint has one repository. */
  readonly repository: string;
  readonly tag: string;
  /**
   * First part of the tag: a hash of everything except the model. Images that share it differ only in their last layer.
   */
  readonly stackHash: string;
  readonly stack: StackInputs;
  readonly model: ImagePlanModel;
  /** Path of the build context, relative to the project. */
  readonly context: string;
}

export interface ImagePlanModel {
  readonly name: string;
  readonly version: string;
  /** `sha256:…` */
  readonly digest: string;
}

/** All inputs of an image except the model. */
export interface StackInputs {
  /** Incremented when the code that makes a context changes in a way that no other input reflects. */
  readonly format: number;
  /** Base image, by digest. */
  readonly base: string;
  /** `linux/amd64` */
  readonly platform: string;
  /** Minor version: `3.11`. */
  readonly python: string;
  /** Platform of the packages, in uv's notation. */
  readonly packagePlatform: string;
  /** Digests of davit_server, of the build script (settle.py) and of the Dockerfile without its labels. */
  readonly server: string;
  readonly settle: string;
  readonly dockerfile: string;
  readonly frontPackages: readonly LockedPackage[];
  readonly packages: readonly LockedPackage[];
  /** Debian packages by name, sorted. Absent: none, as in plans of earlier versions of Davit. */
  readonly systemPackages?: readonly string[];
  /**
   * Who has to attest the image. An image without a matching attestation is built again, which gives its tag another digest;
   * an environment with another policy, which serves the first digest, must not share the tag.
   */
  readonly provenance?: ProvenancePolicy;
}

const FORMAT = 2;
/** 128 bits: nobody can make another model or stack with the same tag. */
const HASH_CHARACTERS = 32;
/** Folder of build contexts and build logs. */
export const CONTEXTS_FOLDER = '.davit/images';

/** Plans the image of one entity. Only the lock, the settings and Davit's own sources determine its tag. */
export async function planImage({ endpoint, entity, lock, settings }: ImageRequest): Promise<ImagePlan> {
  const problem = describeImageProblem({ lock, entity: entity.name, settings });
  if (problem !== undefined) throw new Error(problem);
  const { model, virtualenv } = requireLockedEntity(lock, entity.name);
  const { packages: systemPackages } = settings;
  const stack: StackInputs = {
    format: FORMAT,
    base: settings.bases[virtualenv.python] ?? '',
    platform: settings.platform,
    python: virtualenv.python,
    packagePlatform: virtualenv.platform,
    server: await digestModel(SERVER_SOURCES),
    settle: digestText(await readFile(SETTLE_SCRIPT, 'utf8')),
    dockerfile: digestText(renderDockerfile({ base: '', python: virtualenv.python, systemPackages, labels: {} })),
    frontPackages: parseLockedRequirements(await readFile(FRONT_REQUIREMENTS, 'utf8')),
    packages: virtualenv.packages,
    ...(systemPackages.length > 0 && { systemPackages }),
    ...(settings.provenance && { provenance: settings.provenance }),
  };
  const stackHash = contentHash(stack).slice(0, HASH_CHARACTERS);
  const tag = `${stackHash}-${model.digest.replace('sha256:', '').slice(0, HASH_CHARACTERS)}`;
  const repository = `${settings.registry}/${endpointObjectName(endpoint.name)}`;
  return {
    reference: `${repository}:${tag}`,
    repository,
    tag,
    stackHash,
    stack,
    model: { name: model.name, version: model.version, digest: model.digest },
    context: `${CONTEXTS_FOLDER}/${tag}`,
  };
}

function requireLockedEntity(lock: Lock, entity: string) {
  const locked = readOwn(lock.entities, entity);
  const virtualenv = locked && lock.virtualenvs[locked.virtualenv];
  if (!virtualenv)
    throw new RangeError(`Cannot plan an image of "${entity}": the lock of "${lock.endpoint}" does not contain it`);
  return { model: locked.model, virtualenv };
}

function digestText(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
