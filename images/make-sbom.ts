import { readFile } from 'node:fs/promises';
import { parseLockedRequirements } from '../python/ensure-front-virtualenv.ts';
import type { Lock, LockedPackage } from '../schemas/lock/lock.ts';
import { contentHash } from '../schemas/values/names.ts';
import { readVersion } from '../system/code.ts';
import { digestModel } from '../system/model-digest.ts';
import { FRONT_REQUIREMENTS, SERVER_SOURCES } from './image-paths.ts';

export interface SbomRequest {
  readonly lock: Lock;
  readonly entity: string;
  /** Base image by digest. Undefined: the environment makes no images, or is not known. */
  readonly base: string | undefined;
  /** Debian packages that the environment installs over the base image. */
  readonly systemPackages: readonly string[];
}

/** A bill of materials in the format CycloneDX 1.6, as far as Davit writes it. */
export interface Sbom {
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: '1.6';
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: { readonly tools: { readonly components: readonly Component[] }; readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Component {
  readonly type: 'application' | 'container' | 'library' | 'machine-learning-model';
  readonly 'bom-ref'?: string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly hashes?: readonly { readonly alg: 'SHA-256'; readonly content: string }[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

/**
 * Lists what an image contains: model, packages, model server and base image. Only the lock and Davit's own files
 * determine it, so that the same lock always gives the same text. It has no date for that reason.
 */
export async function makeSbom({ lock, entity, base, systemPackages }: SbomRequest): Promise<Sbom> {
  const locked = Object.hasOwn(lock.entities, entity) ? lock.entities[entity] : undefined;
  const virtualenv = locked && lock.virtualenvs[locked.virtualenv];
  if (!virtualenv)
    throw new RangeError(
      `Cannot list what "${entity}" consists of: the lock of "${lock.endpoint}" does not contain it`,
    );
  const version = readVersion();
  const front = parseLockedRequirements(await readFile(FRONT_REQUIREMENTS, 'utf8'));
  const server = await digestModel(SERVER_SOURCES);
  const { model } = locked;
  const components: readonly Component[] = [
    {
      type: 'machine-learning-model',
      'bom-ref': 'model',
      name: model.name,
      ...(model.version !== '' && { version: model.version }),
      hashes: makeHashes([model.digest]),
      properties: [
        { name: 'davit:python', value: model.python_version },
        ...(model.uri === undefined ? [] : [{ name: 'davit:uri', value: model.uri }]),
        ...(model.mlflow_version === undefined ? [] : [{ name: 'davit:mlflow', value: model.mlflow_version }]),
      ],
    },
    ...(base === undefined ? [] : [makeBaseImage(base)]),
    ...systemPackages.map(makeSystemPackage),
    { type: 'application', 'bom-ref': 'server', name: 'davit-server', version, hashes: makeHashes([server]) },
    ...virtualenv.packages.map((p) => makePackage(p, 'model')),
    ...front.map((p) => makePackage(p, 'server')),
  ];
  const image: Component = { type: 'container', 'bom-ref': 'image', name: `${lock.endpoint}/${entity}` };
  const content = {
    metadata: { tools: { components: [{ type: 'application', name: 'davit', version } as const] }, component: image },
    components,
    dependencies: listDependencies(components),
  };
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: makeSerialNumber(content),
    version: 1,
    ...content,
  };
}

/** Renders the text of a bill of materials. */
export function renderSbom(sbom: Sbom): string {
  return `${JSON.stringify({ $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json', ...sbom }, null, 2)}\n`;
}

function makeBaseImage(base: string): Component {
  const [name = '', digest = ''] = base.split('@');
  const last = name.split('/').at(-1) ?? name;
  const [bare = ''] = last.split(':');
  const repository = name.slice(0, name.length - last.length) + bare;
  return {
    type: 'container',
    'bom-ref': 'base',
    name,
    version: digest,
    purl: `pkg:oci/${bare.toLowerCase()}@${encodeURIComponent(digest)}?repository_url=${encodeURIComponent(repository)}`,
    hashes: makeHashes([digest]),
  };
}

/** Without a version: the build installs the newest one that the base image's Debian has. */
function makeSystemPackage(name: string): Component {
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}`;
  return { type: 'library', 'bom-ref': `system:${purl}`, name, purl };
}

/** The same package may be in the virtualenv of the model and in that of the server. */
function makePackage({ name, version, source, hashes, built }: LockedPackage, of: 'model' | 'server'): Component {
  const origin = source === undefined ? '' : `?download_url=${encodeURIComponent(source)}`;
  const purl = `pkg:pypi/${name}${version === '' ? '' : `@${encodeURIComponent(version)}`}${origin}`;
  return {
    type: 'library',
    'bom-ref': `${of}:${purl}`,
    name,
    ...(version !== '' && { version }),
    purl,
    // One for each file of this version that the lock allows.
    ...(hashes.length > 0 && { hashes: makeHashes(hashes) }),
    properties: [
      { name: 'davit:virtualenv', value: of },
      // The source distribution that Davit builds the wheel from.
      ...(built === undefined ? [] : [{ name: 'davit:built-from', value: built.from }]),
    ],
  };
}

function makeHashes(digests: readonly string[]): NonNullable<Component['hashes']> {
  return digests.map((digest) => ({ alg: 'SHA-256', content: digest.replace('sha256:', '') }));
}

function listDependencies(components: readonly Component[]): Sbom['dependencies'] {
  const refs = components.flatMap((c) => c['bom-ref'] ?? []);
  const of = (owner: string) => refs.filter((ref) => ref.startsWith(`${owner}:`));
  return [
    { ref: 'image', dependsOn: ['model', ...refs.filter((ref) => ref === 'base'), ...of('system'), 'server'] },
    { ref: 'model', dependsOn: of('model') },
    { ref: 'server', dependsOn: of('server') },
  ];
}

/** A UUID of version 8, which is made from the content. */
function makeSerialNumber(content: unknown): string {
  const hex = contentHash(content).slice(0, 32);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)];
  return `urn:uuid:${parts.join('-')}`;
}
