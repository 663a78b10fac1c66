import type { Node } from 'web-tree-sitter';
import { fromPlain, lookUp, makeMap, renderScalar, type SourceNode } from '../source-node.ts';
import { type Block, findAttribute, listAllBlocks, listAttributes } from './blocks.ts';
import { evaluateExpression, type Scope } from './evaluate.ts';
import { type HclFile, locateNode } from './parse-hcl.ts';
import { Unresolvable } from './unresolvable.ts';

/** A folder of Terraform files, and the values of its variables. */
export interface TerraformModule {
  readonly files: readonly HclFile[];
  /** The files with values: terraform.tfvars and *.auto.tfvars. */
  readonly valueFiles: readonly HclFile[];
  /** Values that the user or the calling module gives. They override files and defaults. */
  readonly inputs: ReadonlyMap<string, SourceNode>;
}

/** Names that have a value in one block only: `each.key`, `count.index`, the iterator of a dynamic block. */
export type LocalNames = Readonly<Record<string, SourceNode>>;

/** What names mean in the files of a module. */
export function makeScope(
  module: TerraformModule,
  file: string,
  names: LocalNames = {},
  inside: readonly string[] = [],
): Scope {
  const resolve: Scope['resolve'] = (path) => {
    const [kind = '', name = '', field = ''] = path;
    const local = names[kind];
    if (local) return { node: local, used: 1 };
    const key = path.slice(0, kind === 'var' || kind === 'local' ? 2 : 3).join('.');
    if (inside.includes(key)) throw new Unresolvable(`${key} refers to itself`);
    const scopeOf = (block: { readonly file: string }) => makeScope(module, block.file, {}, [...inside, key]);
    if (kind === 'var') return { node: readVariable(module, name, scopeOf), used: 2 };
    if (kind === 'local') return { node: readLocal(module, name, scopeOf), used: 2 };
    return { node: readResource(module, [kind, name, field], scopeOf), used: 3 };
  };
  return { resolve, locate: (node) => locateNode(node, file) };
}

type ScopeOf = (block: { readonly file: string }) => Scope;

function readVariable({ files, valueFiles, inputs }: TerraformModule, name: string, scopeOf: ScopeOf): SourceNode {
  const given = inputs.get(name);
  if (given?.unresolved !== undefined) throw new Unresolvable(given.unresolved);
  if (given) return given;
  const value = valueFiles
    .map(({ body, file }) => ({ expression: findAttribute(body, name), file }))
    .findLast((v) => v.expression);
  if (value?.expression) return evaluateExpression(value.expression, scopeOf(value), 0);
  const block = listAllBlocks(files, 'variable').find(({ labels }) => labels[0] === name);
  const otherwise = findAttribute(block?.body, 'default');
  if (block && otherwise) return evaluateExpression(otherwise, scopeOf(block), 0);
  throw new Unresolvable(
    `${block ? 'it has no default' : `no variable "${name}" is declared`}; give --var ${name}=VALUE`,
  );
}

function readLocal({ files }: TerraformModule, name: string, scopeOf: ScopeOf): SourceNode {
  for (const block of listAllBlocks(files, 'locals')) {
    const expression = findAttribute(block.body, name);
    if (expression) return evaluateExpression(expression, scopeOf(block), 0);
  }
  throw new Unresolvable(`no local value "${name}" is declared`);
}

/** An attribute that another resource of the module sets itself: `databricks_registered_model.iris.name`. */
function readResource(
  { files }: TerraformModule,
  [type = '', name = '', field = '']: readonly string[],
  scopeOf: ScopeOf,
): SourceNode {
  const block = listAllBlocks(files, 'resource').find(({ labels }) => labels[0] === type && labels[1] === name);
  const expression = findAttribute(block?.body, field);
  if (!block || !expression || isRepeated(block)) throw new Unresolvable('only Terraform knows its value');
  return evaluateExpression(expression, scopeOf(block), 0);
}

function isRepeated({ body }: Block): boolean {
  return listAttributes(body).some(({ name }) => ['count', 'for_each'].includes(name));
}

/** The names of each instance of a block with `count` or `for_each`; one instance without names for other blocks. */
export function listInstances(body: Node | undefined, scope: Scope): readonly LocalNames[] {
  const [count, forEach] = [findAttribute(body, 'count'), findAttribute(body, 'for_each')];
  if (count) {
    const { value, place } = evaluateExpression(count, scope, 0);
    return Array.from({ length: Math.min(Number(value) || 0, 1000) }, (_, index) => ({
      count: fromPlain({ index }, place),
    }));
  }
  return forEach ? listItems(evaluateExpression(forEach, scope, 0)).map((item) => ({ each: item })) : [{}];
}

/** `key` and `value` of each item of a list, set or map. */
export function listItems(node: SourceNode): readonly SourceNode[] {
  if (node.unresolved !== undefined) throw new Unresolvable(node.unresolved);
  const pairs: readonly (readonly [SourceNode, SourceNode])[] =
    node.value instanceof Map
      ? [...(node.value as ReadonlyMap<string, SourceNode>)].map(([key, value]) => [
          { place: value.place, value: key },
          value,
        ])
      : Array.isArray(node.value)
        ? (node.value as readonly SourceNode[]).map((value) => [value, value])
        : [];
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
