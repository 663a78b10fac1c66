import type { Node } from 'web-tree-sitter';
import type { HclFile } from './parse-hcl.ts';

/** `resource "databricks_model_serving" "iris" { … }` */
export interface Block {
  readonly type: string;
  readonly labels: readonly string[];
  readonly body: Node | undefined;
  readonly node: Node;
  readonly file: string;
}

export interface Attribute {
  readonly name: string;
  readonly expression: Node;
}

export function listBlocks(body: Node | undefined, file: string): readonly Block[] {
  return (body?.namedChildren ?? [])
    .filter((child) => child.type === 'block')
    .map((node) => {
      const [type, ...labels] = node.namedChildren.filter((child) => ['identifier', 'string_lit'].includes(child.type));
      const inner = node.namedChildren.find((child) => child.type === 'body');
      return { type: type?.text ?? '', labels: labels.map(readLabel), body: inner, node, file };
    });
}

export function listAttributes(body: Node | undefined): readonly Attribute[] {
  return (body?.namedChildren ?? []).flatMap((child) => {
    const [name, expression] =
      child.type === 'attribute' ? child.namedChildren.filter((c) => c.type !== 'comment') : [];
    return name && expression ? [{ name: name.text, expression }] : [];
  });
}

export function findAttribute(body: Node | undefined, name: string): Node | undefined {
  return listAttributes(body).find((attribute) => attribute.name === name)?.expression;
}

export function listAllBlocks(files: readonly HclFile[], type: string): readonly Block[] {
  return files.flatMap(({ body, file }) => listBlocks(body, file).filter((block) => block.type === type));
}

function readLabel(node: Node): string {
  return node.type === 'string_lit' ? node.text.slice(1, -1) : node.text;
}
