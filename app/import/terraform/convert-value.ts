import type { Scalar, SourceNode } from '../source-node.ts';
import { isScalar } from '../source-node.ts';
import { Unresolvable } from './unresolvable.ts';

/** A boolean, or a text that Terraform converts to one. */
export function toBoolean(value: SourceNode['value']): boolean {
  if (value === true || value === 'true' || value === '1') return true;
  if (value === false || value === 'false' || value === '0') return false;
  throw new Unresolvable(`${describe(value)} is not a boolean, expected true or false`);
}

/** A number, or a text that Terraform converts to one. */
export function toNumber(value: SourceNode['value']): number {
  const isText = typeof value === 'string' && value.trim() !== '';
  const number = typeof value === 'number' || isText ? Number(value) : Number.NaN;
  if (Number.isFinite(number)) return number;
  throw new Unresolvable(`${describe(value)} is not a number`);
}

/** Converts the value of a variable to the type that its declaration names. Other types than these keep the value. */
export function convertToType(node: SourceNode, type: string | undefined): SourceNode {
  if (node.unresolved !== undefined || node.value === null) return node;
  if (type === 'bool') return { ...node, value: toBoolean(node.value) };
  if (type === 'number') return { ...node, value: toNumber(node.value) };
  return type === 'string' && isScalar(node) ? { ...node, value: String(node.value) } : node;
}

function describe(value: SourceNode['value']): string {
  return typeof value === 'object' && value !== null ? 'a list or map' : JSON.stringify(value satisfies Scalar);
}
