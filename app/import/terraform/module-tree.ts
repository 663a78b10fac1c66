import { resolve } from 'node:path';
import { type Diagnostic, makeError, makeWarning } from '../../../schemas/diagnostic.ts';
import { type SourceNode } from '../source-node.ts';
import { type Block, findAttribute, listAllBlocks, listAttributes } from './blocks.ts';
import { evaluate } from './evaluate.ts';
import { addressOf, type ChildModule, keyOf, listInstances, makeScope, type TerraformModule } from './module-scope.ts';
import { locateNode } from './parse-hcl.ts';
import { readTerraformFolder, type TerraformFolder } from './read-folder.ts';
import { META } from './read-module.ts';
import { Unresolvable } from './unresolvable.ts';

/** The folders of a module and of all modules that it calls, by absolute path. Undefined: there is no such folder. */
export type TerraformFolders = ReadonlyMap<string, TerraformFolder | undefined>;

const MAX_MODULES = 1000;

/** Reads a folder and the folders of the modules that it calls, directly or through others. */
export async function loadFolders(
  start: string,
  cwd: string,
  valueFiles: readonly string[],
): Promise<TerraformFolders> {
  const folders = new Map<string, TerraformFolder | undefined>();
  const queue = [start];
  for (const folder of queue) {
    if (folders.has(folder) || folders.size >= MAX_MODULES) continue;
    const read = await readTerraformFolder(folder, cwd, folder === start ? valueFiles : undefined);
    folders.set(folder, read);
    for (const block of listAllBlocks(read?.files ?? [], 'module')) {
      const source = readSource(block.body);
      if (source !== undefined) queue.push(resolve(folder, source));
    }
  }
  return folders;
}

/** The folder that a call names, relative to the folder of the call. Undefined: a registry or a repository. */
function readSource(body: Block['body']): string | undefined {
  return /^"(\.{1,2}(?:\/[^"$%\\]{0,1000})?)"$/.exec(findAttribute(body, 'source')?.text.trim() ?? '')?.[1];
}

interface Origin {
  readonly folder: string;
  readonly inputs: ReadonlyMap<string, SourceNode>;
  readonly address: string;
  /** The folders of the modules that call it. */
  readonly callers: readonly string[];
}

/** The module of the folder from which everything is read. */
export function makeRootModule(folders: TerraformFolders, folder: string, inputs: Origin['inputs']): TerraformModule {
  return makeModule(folders, { folder, inputs, address: '', callers: [] });
}

function makeModule(folders: TerraformFolders, origin: Origin): TerraformModule {
  const { files = [], valueFiles = [] } = folders.get(origin.folder) ?? {};
  const children = new Map<string, readonly ChildModule[] | 'in progress'>();
  const module: TerraformModule = {
    ...{ files, inputs: origin.inputs, address: origin.address, memory: new Map() },
    valueFiles: origin.callers.length === 0 ? valueFiles : [],
    listChildren: (block) => {
      const [name = ''] = block.labels;
      const known = children.get(name);
      if (known === 'in progress') throw new Unresolvable(`module.${name} refers to itself`);
      if (known) return known;
      children.set(name, 'in progress');
      try {
        const made = makeChildren(folders, origin, module, block);
        children.set(name, made);
        return made;
      } finally {
        if (children.get(name) === 'in progress') children.delete(name);
      }
    },
  };
  return module;
}

function makeChildren(
  folders: TerraformFolders,
  { folder, callers }: Origin,
  module: TerraformModule,
  { labels: [label = ''], file, body }: Block,
): readonly ChildModule[] {
  const source = readSource(body);
  if (source === undefined) throw new Unresolvable(OTHER_SOURCE);
  const called = resolve(folder, source);
  if (callers.includes(called) || called === folder) throw new Unresolvable(`the module in ${source} calls itself`);
  if (!folders.has(called)) throw new Unresolvable(`there are more than ${MAX_MODULES} modules`);
  if (!folders.get(called)) throw new Unresolvable(`there is no folder ${source}`);
  return listInstances(body, makeScope(module, file)).map((names) => {
    const scope = makeScope(module, file, names);
    const inputs = listAttributes(body)
      .filter(({ name }) => !['source', 'version', 'providers', ...META].includes(name))
      .map(({ name, expression: value }) => [name, evaluate(value, scope)] as const);
    const address = `${addressOf(module, `module.${label}`, names)}.`;
    const child = { folder: called, inputs: new Map(inputs), address, callers: [...callers, folder] };
    return { names, module: makeModule(folders, child) };
  });
}

const OTHER_SOURCE = 'its source is not a folder beside this file';

interface ModuleInstance {
  readonly module: TerraformModule;
  /** What the names of its endpoints begin with where a call stands for several modules. */
  readonly prefix: string;
}

/** A module and the modules that the calls in its wanted files stand for, directly or through others. */
export function listModules(root: TerraformModule, isWanted: (file: string) => boolean) {
  const modules: ModuleInstance[] = [{ module: root, prefix: '' }];
  const diagnostics: Diagnostic[] = [];
  for (const { module, prefix } of modules)
    for (const block of listAllBlocks(module.files, 'module')) {
      if (module === root && !isWanted(block.file)) continue;
      const [label = ''] = block.labels;
      try {
        const children = module.listChildren(block);
        if (modules.length + children.length > MAX_MODULES)
          throw new Unresolvable(`there are more than ${MAX_MODULES} modules`);
        for (const child of children) {
          const key = keyOf(child.names);
          modules.push({ module: child.module, prefix: key === undefined ? prefix : `${prefix}${label}-${key}-` });
        }
      } catch (e) {
        if (!(e instanceof Unresolvable)) throw e;
        diagnostics.push(reportCall(block, e.message));
      }
    }
  return { modules, diagnostics };
}

function reportCall({ labels: [label = ''], node, file }: Block, why: string): Diagnostic {
  const make = why === OTHER_SOURCE ? makeWarning : makeError;
  const hint = 'Import the plan instead: terraform show -json PLAN > plan.json';
  return make('not-imported', locateNode(node, file), `Cannot import module "${label}": ${why}`, hint);
}
