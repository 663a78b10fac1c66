import { dirname } from 'node:path';
import type { ForeignEndpoint, ForeignFile, ImportValues } from '../foreign-endpoint.ts';
import { showPath, startOf } from '../show-path.ts';
import { fromPlain, makeMap, mapOf, type SourceNode } from '../source-node.ts';
import { listModules, loadFolders, makeRootModule, type TerraformFolders } from './module-tree.ts';
import { type EndpointPermissions, readModule, type TerraformEndpoint } from './read-module.ts';
import { fromTerraform } from './resource-body.ts';

/** Reads the endpoints of Terraform's files and of the modules that they call. The files of one folder are one module. */
export async function readTerraform(
  paths: readonly string[],
  cwd: string,
  { variables, valueFiles }: ImportValues,
): Promise<readonly ForeignFile[]> {
  const folders = [...new Set(paths.map((path) => dirname(path)))];
  const loaded = await Promise.all(
    folders.map(async (folder) => [folder, await loadFolders(folder, cwd, valueFiles)] as const),
  );
  const isCalled = (folder: string) =>
    loaded.some(([caller, tree]) => tree.has(folder) && !loaded.find(([f]) => f === folder)?.[1].has(caller));
  const inputs = new Map([...variables].map(([name, value]) => [name, readInput(value)]));
  return loaded
    .filter(([folder]) => !isCalled(folder))
    .map(([folder, tree]) => {
      const own = new Set(paths.filter((path) => dirname(path) === folder).map((path) => showPath(path, cwd)));
      return readTree(tree, folder, own, inputs);
    });
}

function readTree(
  folders: TerraformFolders,
  folder: string,
  own: ReadonlySet<string>,
  inputs: ReadonlyMap<string, SourceNode>,
): ForeignFile {
  const root = makeRootModule(folders, folder, inputs);
  const isOwn = (file: string) => own.has(file);
  const { modules, diagnostics } = listModules(root, isOwn);
  const read = modules.map(({ module, prefix }) => {
    const found = readModule(module, module === root ? isOwn : () => true);
    return { ...found, endpoints: found.endpoints.map((e) => ({ ...e, key: `${prefix}${e.key}` })) };
  });
  const permissions = read.flatMap((r) => r.permissions);
  return {
    endpoints: read.flatMap((r) => r.endpoints).map((endpoint) => addPermissions(endpoint, permissions)),
    diagnostics: [
      ...[...folders.values()].flatMap((f) => f?.diagnostics ?? []),
      ...diagnostics,
      ...read.flatMap((r) => r.diagnostics),
    ],
  };
}

function addPermissions(
  { key, address, fields }: TerraformEndpoint,
  permissions: readonly EndpointPermissions[],
): ForeignEndpoint {
  const list = permissions.filter(({ endpoint }) => endpoint === address).flatMap((p) => p.list);
  const extra = list.length > 0 ? [['permissions', { place: fields.place, value: list }] as const] : [];
  return { key, body: fromTerraform(makeMap([...(mapOf(fields) ?? []), ...extra], fields.place)) };
}

/** A list or a map is written as JSON, as for Terraform's own -var. */
function readInput(text: string): SourceNode {
  const place = startOf('--var');
  try {
    if (/^\s*[[{]/.test(text)) return fromPlain(JSON.parse(text), place);
  } catch {
    // Not JSON, so it is a text that begins with a bracket.
  }
  return { place, value: text };
}
