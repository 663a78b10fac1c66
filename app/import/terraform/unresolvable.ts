import type { SourceNode } from '../source-node.ts';

/** An expression whose value only Terraform or Databricks knows. The message says why. */
export class Unresolvable extends Error {}

export function failIfUnresolved(node: SourceNode): SourceNode {
  if (node.unresolved !== undefined) throw new Unresolvable(node.unresolved);
  return node;
}
