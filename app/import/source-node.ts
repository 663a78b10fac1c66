import type { SourceLocation } from '../../schemas/diagnostic.ts';
import type { Path } from '../../schemas/yaml/parsed-yaml.ts';

export type Scalar = string | number | boolean | null;

/** A value of a foreign file with its place, so that every later message can point at it. */
export interface SourceNode {
  readonly place: SourceLocation;
  readonly value: Scalar | readonly SourceNode[] | ReadonlyMap<string, SourceNode>;
  /** Why the text still contains a variable. */
  readonly unresolved?: string;
  /** The address of the Terraform resource whose id this is. Only Terraform knows the id, so it is unresolved as well. */
  readonly endpoint?: string;
}

/** Variables can refer to variables, so that a small file stands for a value of any size. */
export const MAX_SIZE = 200_000;
/** The reason of a value that is larger. */
export const TOO_LARGE = 'its value is too large';
/** How many characters a node counts as, because a node needs more memory and time. */
const NODE_SIZE = 10;

const sizes = new WeakMap<object, number>();

/** The size of a value in characters. Parts that occur several times are measured once and counted each time. */
export function measure({ place, value }: SourceNode): number {
  if (typeof value === 'string') return NODE_SIZE + value.length;
  if (typeof value !== 'object' || value === null) return NODE_SIZE;
  const known = sizes.get(value);
  if (known !== undefined) return known;
  const children = [...(mapOf({ place, value })?.values() ?? listOf({ place, value }) ?? [])];
  const size = children.reduce((sum, child) => sum + measure(child), NODE_SIZE);
  sizes.set(value, size);
  return size;
}

export type SourceMap = ReadonlyMap<string, SourceNode>;

export function mapOf(node: SourceNode | undefined): SourceMap | undefined {
  return node?.value instanceof Map ? node.value : undefined;
}

export function listOf(node: SourceNode | undefined): readonly SourceNode[] | undefined {
  return Array.isArray(node?.value) ? (node.value as readonly SourceNode[]) : undefined;
}

export function textOf(node: SourceNode | undefined): string | undefined {
  return typeof node?.value === 'string' ? node.value : undefined;
}

export function isScalar(node: SourceNode): node is SourceNode & { readonly value: Scalar } {
  return typeof node.value !== 'object' || node.value === null;
}

/** A scalar as a text; empty for lists, maps and null. */
export function renderScalar(node: SourceNode | undefined): string {
  return node && isScalar(node) && node.value !== null ? String(node.value) : '';
}

export function makeMap(entries: Iterable<readonly [string, SourceNode]>, place: SourceLocation): SourceNode {
  return { place, value: new Map(entries) };
}

/** The node at a path, or the nearest node above it. */
export function findNode(root: SourceNode, path: Path): SourceNode {
  const [step, ...rest] = path;
  if (step === undefined) return root;
  const next = typeof step === 'number' ? listOf(root)?.[step] : mapOf(root)?.get(step);
  return next ? findNode(next, rest) : root;
}

/** The node exactly at a path. Steps are texts; an item of a list is its number. */
export function lookUp(root: SourceNode, path: readonly string[]): SourceNode | undefined {
  return path.reduce<SourceNode | undefined>((node, step) => {
    const list = listOf(node);
    return list ? (/^\d{1,6}$/.test(step) ? list[Number(step)] : undefined) : mapOf(node)?.get(step);
  }, root);
}

/** Whether a value, or a part of it, is too large. Otherwise values of such parts would grow again. */
export function isTooLarge(node: SourceNode): boolean {
  return measure(node) > MAX_SIZE || listUnresolved(node).some(({ unresolved }) => unresolved === TOO_LARGE);
}

/** The value without places. */
export function toPlain(node: SourceNode): unknown {
  const [map, list] = [mapOf(node), listOf(node)];
  if (map) return Object.fromEntries([...map].map(([key, child]) => [key, toPlain(child)]));
  return list ? list.map(toPlain) : node.value;
}

/** Makes nodes of a plain value; all of them have the same place. */
export function fromPlain(value: unknown, place: SourceLocation): SourceNode {
  if (Array.isArray(value)) return { place, value: value.map((item) => fromPlain(item, place)) };
  if (typeof value === 'object' && value !== null)
    return makeMap(
      Object.entries(value).map(([key, child]) => [key, fromPlain(child, place)]),
      place,
    );
  return {
    place,
    value: typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null,
  };
}

/** Every node of a tree that still contains a variable. */
export function listUnresolved(node: SourceNode): readonly SourceNode[] {
  const children = [...(mapOf(node)?.values() ?? []), ...(listOf(node) ?? [])];
  return [...(node.unresolved === undefined ? [] : [node]), ...children.flatMap(listUnresolved)];
}
