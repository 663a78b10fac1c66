import { type Alias, type Document, type Node, visit } from 'yaml';

/**
 * Finds the node of each alias of a document; undefined for one without an anchor before it. In one visit, because
 * `Alias.resolve` visits the whole document for each alias.
 */
export function resolveAliases(document: Document): ReadonlyMap<Alias, Node | undefined> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node | undefined>();
  visit(document, {
    Value: (_key, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
    Alias: (_key, node) => {
      targets.set(node, anchors.get(node.source));
    },
  });
  return targets;
}
