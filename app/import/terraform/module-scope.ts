import type { Node } from 'web-tree-sitter';
import {
  fromPlain,
  isTooLarge,
  listOf,
  lookUp,
  makeMap,
  mapOf,
  renderScalar,
  type SourceNode,
  TOO_LARGE,
} from '../source-node.ts';
import { type Block, findAttribute, listAllBlocks, listAttributes } from './blocks.ts';
import { convertToType } from './convert-value.ts';
import { evaluate, evaluateExpression, type Scope } from './evaluate.ts';
import { type HclFile, locateNode } from './parse-hcl.ts';
import { failIfUnresolved, Unresolvable } from './unresolvable.ts';

/** A folder of Terraform files, and the values of its variables. */
export interface TerraformModule {
  readonly files: readonly HclFile[];
  /** The files with values, in the order in which Terraform reads them. A module that another one calls has none. */
  readonly valueFiles: readonly HclFile[];
  /** Values that the user or the calling module gives. They override files and defaults. */
  readonly inputs: ReadonlyMap<string, SourceNode>;
  /** What the addresses of its resources begin with: empty, or `module.fraud["eu"].` */
  readonly address: string;
  /** The modules that a block `module` stands for. Throws Unresolvable if they cannot be read. */
  readonly listChildren: (block: Block) => readonly ChildModule[];
  /** Values that were evaluated before, by name. */
  readonly memory: Map<string, Remembered>;
}

type Remembered = SourceNode | Unresolvable | 'in progress';

export interface ChildModule {
  readonly module: TerraformModule;
  readonly names: LocalNames;
}

/** Names that have a value in one block only: `each.key`, `count.index`, the iterator of a dynamic block. */
export type LocalNames = Readonly<Record<string, SourceNode>>;

export const SERVING = 'databricks_model_serving';

/** What names mean in the files of a module. */
export function makeScope(module: TerraformModule, file: string, names: LocalNames = {}): Scope {
  const resolve: Scope['resolve'] = (path, depth) => {
    const [kind = '', name = '', field = ''] = path;
    const local = Object.hasOwn(names, kind) ? names[kind] : undefined;
    if (local) return { node: local, used: 1 };
    const used = ['var', 'local', 'module'].includes(kind) || isWholeEndpoint(path) ? 2 : 3;
    const read = () => {
      const open: Open = (expression, block) =>
        evaluateExpression(expression, makeScope(module, block.file), depth + 1);
      if (kind === 'var') return readVariable(module, name, open);
      if (kind === 'local') return readLocal(module, name, open);
      if (kind === 'module') return readOutputs(module, name, depth);
      return used === 2 ? readEndpoints(module, name) : readResource(module, [kind, name, field], open);
    };
    return { node: remember(module, path.slice(0, used).join('.'), read), used };
  };
  return { resolve, locate: (node) => locateNode(node, file) };
}

type Open = (expression: Node, block: { readonly file: string }) => SourceNode;

/** Evaluates a name once, however often it occurs. */
function remember({ memory }: TerraformModule, key: string, read: () => SourceNode): SourceNode {
  const known = memory.get(key);
  if (known === 'in progress') throw new Unresolvable(`${key} refers to itself`);
  if (known instanceof Unresolvable) throw known;
  if (known) return known;
  memory.set(key, 'in progress');
  try {
    const node = read();
    if (isTooLarge(node)) throw new Unresolvable(TOO_LARGE);
    memory.set(key, node);
    return node;
  } catch (e) {
    if (!(e instanceof Unresolvable)) throw e;
    memory.set(key, e);
    throw e;
  }
}

function readVariable({ files, valueFiles, inputs }: TerraformModule, name: string, open: Open): SourceNode {
  const block = listAllBlocks(files, 'variable').find(({ labels }) => labels[0] === name);
  const convert = (node: SourceNode) => convertToType(node, findAttribute(block?.body, 'type')?.text.trim());
  const given = inputs.get(name);
  if (given) return convert(given.endpoint === undefined ? failIfUnresolved(given) : given);
  const value = valueFiles
    .map(({ body, file }) => ({ expression: findAttribute(body, name), file }))
    .findLast((v) => v.expression);
  if (value?.expression) return convert(open(value.expression, value));
  const otherwise = findAttribute(block?.body, 'default');
  if (block && otherwise) return convert(open(otherwise, block));
  throw new Unresolvable(
    `${block ? 'it has no default' : `no variable "${name}" is declared`}; give --var ${name}=VALUE`,
  );
}

function readLocal({ files }: TerraformModule, name: string, open: Open): SourceNode {
  for (const block of listAllBlocks(files, 'locals')) {
    const expression = findAttribute(block.body, name);
    if (expression) return open(expression, block);
  }
  throw new Unresolvable(`no local value "${name}" is declared`);
}

/** An attribute that another resource of the module sets itself: `databricks_registered_model.iris.name`. */
function readResource(
  { files }: TerraformModule,
  [type = '', name = '', field = '']: readonly string[],
  open: Open,
): SourceNode {
  const block = findResource(files, type, name);
  const expression = findAttribute(block?.body, field);
  if (!block || !expression || isRepeated(block)) throw new Unresolvable('only Terraform knows its value');
  return open(expression, block);
}

function findResource(files: readonly HclFile[], type: string, name: string): Block | undefined {
  return listAllBlocks(files, 'resource').find(({ labels }) => labels[0] === type && labels[1] === name);
}

/** Whether a path leads to endpoints or their ids: which endpoint a permission is about follows from it. */
function isWholeEndpoint([kind, , ...rest]: readonly string[]): boolean {
  return kind === SERVING && (rest.length !== 1 || IDS.includes(rest[0] ?? ''));
}

const IDS = ['serving_endpoint_id', 'id'];

/** The ids of the endpoints that a resource stands for: one, or a list or map of them by index. */
function readEndpoints(module: TerraformModule, label: string): SourceNode {
  const block = findResource(module.files, SERVING, label);
  if (!block) throw new Unresolvable(`no resource ${SERVING}.${label} is declared`);
  const scope = makeScope(module, block.file);
  const place = scope.locate(block.node);
  return groupInstances(
    block,
    listInstances(block.body, scope).map((names) => {
      const address = addressOf(module, `${SERVING}.${label}`, names);
      const unresolved = 'only Terraform knows its value';
      const id = { place, value: `\${${address}.${IDS[0]}}`, unresolved, endpoint: address };
      const fields = makeMap(
        IDS.map((name) => [name, id]),
        place,
      );
      return [names, fields] as const;
    }),
    place,
  );
}

/** The outputs of the modules that a call stands for. */
function readOutputs(module: TerraformModule, name: string, depth: number): SourceNode {
  const block = listAllBlocks(module.files, 'module').find(({ labels }) => labels[0] === name);
  if (!block) throw new Unresolvable(`no module "${name}" is declared`);
  const place = locateNode(block.node, block.file);
  const children = module.listChildren(block).map(({ module: child, names }) => {
    const outputs = listAllBlocks(child.files, 'output').flatMap((output): (readonly [string, SourceNode])[] => {
      const expression = findAttribute(output.body, 'value');
      return expression
        ? [[output.labels[0] ?? '', evaluate(expression, makeScope(child, output.file), depth + 1)]]
        : [];
    });
    return [names, makeMap(outputs, place)] as const;
  });
  return groupInstances(block, children, place);
}

type Instance = readonly [LocalNames, SourceNode];

/** A block with `count` is a list, one with `for_each` is a map, and any other is a single value. */
function groupInstances(block: Block, instances: readonly Instance[], place: SourceNode['place']): SourceNode {
  if (findAttribute(block.body, 'count')) return { place, value: instances.map(([, node]) => node) };
  const [only] = instances;
  if (only && !isRepeated(block)) return only[1];
  return makeMap(
    instances.map(([names, node]) => [keyOf(names) ?? '', node]),
    place,
  );
}

function isRepeated({ body }: Block): boolean {
  return listAttributes(body).some(({ name }) => ['count', 'for_each'].includes(name));
}

const MAX_INSTANCES = 1000;

/** The names of each instance of a block with `count` or `for_each`; one instance without names for other blocks. */
export function listInstances(body: Node | undefined, scope: Scope): readonly LocalNames[] {
  const [count, forEach] = [findAttribute(body, 'count'), findAttribute(body, 'for_each')];
  if (!count) return forEach ? listItems(evaluateExpression(forEach, scope, 0)).map((item) => ({ each: item })) : [{}];
  const { value, place } = failIfUnresolved(evaluateExpression(count, scope, 0));
  const length = Number(value);
  if (!(length >= 0 && length <= MAX_INSTANCES) || value === null)
    throw new Unresolvable(`its count is not a number from 0 to ${MAX_INSTANCES}`);
  return Array.from({ length }, (_, index) => ({ count: fromPlain({ index }, place) }));
}

/** `key` and `value` of each item of a list, set or map. */
export function listItems(node: SourceNode): readonly SourceNode[] {
  failIfUnresolved(node);
  const [map, list] = [mapOf(node), listOf(node)];
  if (!map && !list) throw new Unresolvable('its value is not a list, set or map');
  const pairs: readonly (readonly [SourceNode, SourceNode])[] = map
    ? [...map].map(([key, value]) => [{ place: value.place, value: key }, value])
    : (list ?? []).map((value) => [value, value]);
  if (pairs.length > MAX_INSTANCES) throw new Unresolvable(`it has more than ${MAX_INSTANCES} items`);
  return pairs.map(([key, value]) =>
    makeMap(
      [
        ['key', key],
        ['value', value],
      ],
      value.place,
    ),
  );
}

export function keyOf(names: LocalNames): string | undefined {
  const key = names['each']
    ? lookUp(names['each'], ['key'])
    : names['count']
      ? lookUp(names['count'], ['index'])
      : undefined;
  return key === undefined ? undefined : renderScalar(key);
}

/** The address of an instance of a block, as Terraform prints it: `module.a.databricks_model_serving.this["eu"]`. */
export function addressOf(module: TerraformModule, name: string, names: LocalNames): string {
  const key = keyOf(names);
  const index = key === undefined ? '' : names['each'] ? `[${JSON.stringify(key)}]` : `[${key}]`;
  return `${module.address}${name}${index}`;
}
