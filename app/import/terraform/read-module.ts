import type { Node } from 'web-tree-sitter';
import { type Diagnostic, makeError, makeWarning, type SourceLocation } from '../../../schemas/diagnostic.ts';
import { listOf, makeMap, type SourceNode } from '../source-node.ts';
import { type Block, findAttribute, listAllBlocks, listAttributes, listBlocks } from './blocks.ts';
import { evaluate, evaluateExpression, type Scope } from './evaluate.ts';
import {
  addressOf,
  keyOf,
  listInstances,
  listItems,
  type LocalNames,
  makeScope,
  SERVING,
  type TerraformModule,
} from './module-scope.ts';
import { locateNode } from './parse-hcl.ts';
import { Unresolvable } from './unresolvable.ts';

/** What Terraform itself reads in a resource. */
export const META = [
  'count',
  'for_each',
  'depends_on',
  'provider',
  'lifecycle',
  'timeouts',
  'provisioner',
  'connection',
];

/** Endpoints and permissions of one module, before they are put together. */
export interface ReadModule {
  readonly endpoints: readonly TerraformEndpoint[];
  readonly permissions: readonly EndpointPermissions[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface TerraformEndpoint {
  readonly key: string;
  readonly address: string;
  readonly fields: SourceNode;
}

export interface EndpointPermissions {
  /** The address of the endpoint. */
  readonly endpoint: string;
  readonly list: readonly SourceNode[];
}

/** Reads the endpoints that a module declares in the wanted files, and the permissions of all its files. */
export function readModule(module: TerraformModule, isWanted: (file: string) => boolean): ReadModule {
  const resources = listAllBlocks(module.files, 'resource');
  const wanted = resources.filter(({ file, labels: [type = ''] }) => isWanted(file) && type.startsWith(SERVING));
  const read = wanted.map((block) => readResource(module, block));
  const permissions = resources
    .filter(({ labels: [type], body }) => type === PERMISSIONS && findAttribute(body, 'serving_endpoint_id'))
    .map((block) => readPermissions(module, block));
  return {
    endpoints: read.flatMap((r) => r.endpoints),
    permissions: permissions.flatMap((p) => p.permissions),
    diagnostics: [...read, ...permissions].flatMap((r) => r.diagnostics),
  };
}

const PERMISSIONS = 'databricks_permissions';

function readResource(module: TerraformModule, block: Block): Omit<ReadModule, 'permissions'> {
  const {
    labels: [type = '', label = ''],
    file,
    body,
    node,
  } = block;
  const place = locateNode(node, file);
  const address = `${module.address}${type}.${label}`;
  if (type !== SERVING) {
    const message = `Cannot import ${address}: provisioned throughput is for foundation models`;
    return { endpoints: [], diagnostics: [makeError('not-imported', place, message)] };
  }
  try {
    const found = listInstances(body, makeScope(module, file)).map((names) => makeEndpoint(module, block, names));
    return { endpoints: found.map((f) => f.endpoint), diagnostics: found.flatMap((f) => f.diagnostics) };
  } catch (e) {
    if (!(e instanceof Unresolvable)) throw e;
    const message = `Cannot import ${address}: how many there are depends on a value, and ${e.message}`;
    return { endpoints: [], diagnostics: [makeError('not-imported', place, message)] };
  }
}

function makeEndpoint(module: TerraformModule, block: Block, names: LocalNames) {
  const {
    labels: [, label = ''],
    file,
    body,
    node,
  } = block;
  const diagnostics: Diagnostic[] = [];
  const fields = readBody(body, makeScope(module, file, names), { module, file, names, diagnostics });
  const endpoint: TerraformEndpoint = {
    key: [label, keyOf(names)].filter((part) => part !== undefined).join('-'),
    address: addressOf(module, `${SERVING}.${label}`, names),
    fields: makeMap(fields, locateNode(node, file)),
  };
  return { endpoint, diagnostics };
}

/** The permissions of each instance, where it is known which endpoint they are about. */
function readPermissions(module: TerraformModule, block: Block): Omit<ReadModule, 'endpoints'> {
  const {
    labels: [, label = ''],
    body,
    file,
    node,
  } = block;
  const diagnostics: Diagnostic[] = [];
  const permissions: EndpointPermissions[] = [];
  const report = (names: LocalNames, why: string) => {
    const address = addressOf(module, `${PERMISSIONS}.${label}`, names);
    diagnostics.push(reportPermissions(address, locateNode(node, file), why));
  };
  try {
    for (const names of listInstances(body, makeScope(module, file))) {
      const fields = new Map(readBody(body, makeScope(module, file, names), { module, file, names, diagnostics }));
      const id = fields.get('serving_endpoint_id');
      const list = listOf(fields.get('access_control')) ?? [];
      if (id?.endpoint === undefined) report(names, id?.unresolved ?? 'its endpoint is not in these files');
      else permissions.push({ endpoint: id.endpoint, list });
    }
  } catch (e) {
    if (!(e instanceof Unresolvable)) throw e;
    report({}, `how many there are depends on a value, and ${e.message}`);
  }
  return { permissions, diagnostics };
}

/** A warning that the permissions of an endpoint are left out. */
export function reportPermissions(address: string, place: SourceLocation, why: string): Diagnostic {
  const message = `Cannot import ${address}: it is not known which endpoint it is about: ${why}`;
  return makeWarning('not-imported', place, message, 'Write davit.permissions into the file of its endpoint');
}

interface BodyContext {
  readonly module: TerraformModule;
  readonly file: string;
  readonly names: LocalNames;
  readonly diagnostics: Diagnostic[];
}

/** The attributes and blocks of a body; each block is an item of the list of its type. */
function readBody(
  body: Node | undefined,
  scope: Scope,
  context: BodyContext,
): readonly (readonly [string, SourceNode])[] {
  const attributes = listAttributes(body)
    .filter(({ name }) => !META.includes(name))
    .map(({ name, expression }) => [name, evaluate(expression, scope)] as const);
  const lists = new Map<string, SourceNode[]>();
  const add = (type: string, inner: Block, names: LocalNames) => {
    const own = makeScope(context.module, context.file, names);
    const node = makeMap(readBody(inner.body, own, { ...context, names }), locateNode(inner.node, context.file));
    lists.set(type, [...(lists.get(type) ?? []), node]);
  };
  for (const block of listBlocks(body, context.file)) {
    if (META.includes(block.type)) continue;
    if (block.type === 'dynamic') addDynamic(block, scope, context, add);
    else add(block.type, block, context.names);
  }
  const place = (items: readonly SourceNode[]) => items[0]?.place ?? { file: context.file, line: 1, column: 1 };
  return [...attributes, ...[...lists].map(([type, value]) => [type, { place: place(value), value }] as const)];
}

function addDynamic(
  { labels: [label = ''], body, node }: Block,
  scope: Scope,
  { file, names, diagnostics }: BodyContext,
  add: (type: string, inner: Block, names: LocalNames) => void,
): void {
  const [content] = listBlocks(body, file).filter(({ type }) => type === 'content');
  const forEach = findAttribute(body, 'for_each');
  const iterator = findAttribute(body, 'iterator')?.text ?? label;
  if (!content || !forEach) return;
  try {
    for (const item of listItems(evaluateExpression(forEach, scope, 0)))
      add(label, content, { ...names, [iterator]: item });
  } catch (e) {
    if (!(e instanceof Unresolvable)) throw e;
    const message = `Cannot import the blocks "${label}": how many there are depends on a value, and ${e.message}`;
    diagnostics.push(makeError('not-imported', locateNode(node, file), message));
  }
}
