import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A direct dependency of a program that has a provider plugin. */
export interface ProviderPackage {
  readonly name: string;
  readonly version: string;
  /** The download server of the plugin; empty: Pulumi's own. */
  readonly server: string;
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly pulumi?: {
    readonly resource?: boolean;
    readonly name?: string;
    readonly version?: string;
    readonly server?: string;
  };
}

/**
 * Reads the provider plugins that the program in `folder` needs, from the manifests of its direct dependencies. Those that
 * are not installed are optional.
 */
export async function readProviderPackages(folder: string): Promise<readonly ProviderPackage[]> {
  const own = await readNearestManifest(folder);
  const resolve = createRequire(join(folder, 'package.json')).resolve;
  const read = Object.keys({ ...own?.dependencies, ...own?.peerDependencies }).map(async (name) => {
    const places = resolve.paths(name) ?? [];
    const manifest = await readFirstManifest(places.map((place) => join(place, name)));
    const {
      resource = false,
      name: plugin = name.replace(/^@pulumi\//, ''),
      version,
      server = '',
    } = manifest?.pulumi ?? {};
    return resource && manifest ? [{ name: plugin, version: version ?? manifest.version, server }] : [];
  });
  return (await Promise.all(read)).flat();
}

async function readNearestManifest(folder: string): Promise<Manifest | undefined> {
  const found = await readManifest(folder);
  return found ?? (dirname(folder) === folder ? undefined : readNearestManifest(dirname(folder)));
}

async function readFirstManifest(folders: readonly string[]): Promise<Manifest | undefined> {
  const found = await Promise.all(folders.map(readManifest));
  return found.find((manifest) => manifest !== undefined);
}

async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
  } catch {
    return undefined; // not in this folder; the caller looks elsewhere
  }
}
