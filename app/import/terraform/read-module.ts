import type { Node } from 'web-tree-sitter';
import { type Diagnostic, makeError, makeWarning } from '../../../schemas/diagnostic.ts';
import type { ForeignEndpoint, ForeignFile } from '../foreign-endpoint.ts';
import { makeMap, type SourceNode } from '../source-node.ts';
import { type Block, findAttribute, listAllBlocks, listAttributes, listBlocks } from './blocks.ts';
import { evaluate, evaluateExpression, type Scope } from './evaluate.ts';
import { keyOf, listInstances, listItems, type LocalNames, makeScope, type TerraformModule } from './module-scope.ts';
import { locateNode } from './parse-hcl.ts';
import { fromTerraform } from './resource-body.ts';
import { Unresolvable } from './unresolvable.ts';

const SERVING = 'databricks_model_serving';
/** What Terraform itself reads in a resource. */
const META = ['count', 'for_each', 'depends_on', 'provider', 'lifecycle', 'timeouts', 'provisioner', 'connection'];

/** A call of a module whose source is a folder. */
export interface ModuleCall {
  readonly source: string;
  readonly file: string;
  readonly inputs: ReadonlyMap<string, SourceNode>;
}

export interface ReadModule extends ForeignFile {
  readonly calls: readonly ModuleCall[];
}

/** Reads the endpoints that the named files of a module declare, with their permissions. */
export function readModule(module: TerraformModule, own: ReadonlySet<string>): ReadModule {
  const resources = listAllBlocks(module.files, 'resource');
  const wanted = resources.filter(({ file, labels: [type = ''] }) => own.has(file) && type.startsWith(SERVING));
  const read = wanted.map((block) => readResource(module, block, resources));
  const calls = listAllBlocks(module.files, 'module').filter(({ file }) => own.has(file));
  const called = calls.map((block) => readCall(module, block));
  return {
    endpoints: read.flatMap((r) => r.endpoints),
    calls: called.flatMap((c) => c.calls),
    diagnostics: [...read, ...called].flatMap((r) => r.diagnostics),
  };
}

function readResource(module: TerraformModule, block: Block, resources: readonly Block[]): ForeignFile {
  const {
    labels: [type = '', label = ''],
    file,
    body,
    node,
  } = block;
  const place = locateNode(node, file);
  if (type !== SERVING) {
    const message = `Cannot import ${type}.${label}: provisioned throughput is for foundation models`;
    return { endpoints: [], diagnostics: [makeError('not-imported', place, message)] };
  }
  try {
    const scope = makeScope(module, file);
    const instances = listInstances(body, scope);
    const found = instances.map((names) => makeEndpoint(module, block, names, resources));
    return { endpoints: found.map((f) => f.endpoint), diagnostics: found.flatMap((f) => f.diagnostics) };
  } catch (e) {
    if (!(e instanceof Unresolvable)) throw e;
    const message = `Cannot import ${type}.${label}: how many there are depends on a value, and ${e.message}`;
    return { endpoints: [], diagnostics: [makeError('not-imported', place, message)] };
  }
}

function makeEndpoint(module: TerraformModule, block: Block, names: LocalNames, resources: readonly Block[]) {
  const {
    labels: [, label = ''],
    file,
    body,
    node,
  } = block;
  const scope = makeScope(module, file, names);
  const diagnostics: Diagnostic[] = [];
  const fields = readBody(body, scope, { module, file, names, diagnostics });
  const permissions = resources
    .filter(({ labels: [type], body: other }) => type === 'databricks_permissions' && concerns(other, label))
    .flatMap((other) => readPermissions(module, other, diagnostics));
  const place = locateNode(node, file);
  const whole = makeMap(
    [...fields, ...(permissions.length > 0 ? [['permissions', { place, value: permissions }] as const] : [])],
    place,
  );
  const key = [label, keyOf(names)].filter((part) => part !== undefined).join('-');
  const endpoint: ForeignEndpoint = { key, body: fromTerraform(whole) };
  return { endpoint, diagnostics };
}

/** Whether a databricks_permissions resource is about this endpoint. */
function concerns(body: Node | undefined, label: string): boolean {
  const text = findAttribute(body, 'serving_endpoint_id')?.text ?? '';
  return text
    .split(/[^\w.-]/)
    .some((word) => word.startsWith(`${SERVING}.${label}.`) || word === `${SERVING}.${label}`);
}

function readPermissions(
  module: TerraformModule,
  { body, file }: Block,
  diagnostics: Diagnostic[],
): readonly SourceNode[] {
  const fields = readBody(body, makeScope(module, file), { module, file, names: {}, diagnostics });
  const list = new Map(fields).get('access_control')?.value;
  return Array.isArray(list) ? (list as readonly SourceNode[]) : [];
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

function readCall(
  module: TerraformModule,
  { labels: [label = ''], body, node, file }: Block,
): Omit<ReadModule, 'endpoints'> {
  const scope = makeScope(module, file);
  const expression = findAttribute(body, 'source');
  const source = expression ? evaluate(expression, scope).value : undefined;
  if (typeof source !== 'string' || !/^\.{1,2}\//.test(source)) {
    const message = `Cannot import module "${label}": its source is not a folder beside this file`;
    const hint = 'Import the plan instead: terraform show -json PLAN > plan.json';
    return { calls: [], diagnostics: [makeWarning('not-imported', locateNode(node, file), message, hint)] };
  }
  const inputs = listAttributes(body)
    .filter(({ name }) => !['source', 'version', 'providers', ...META].includes(name))
    .map(({ name, expression: value }) => [name, evaluate(value, scope)] as const);
  return { calls: [{ source, file, inputs: new Map(inputs) }], diagnostics: [] };
}
