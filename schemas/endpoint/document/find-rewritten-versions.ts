import { type Document, isMap, isScalar, isSeq } from 'yaml';
import { type Diagnostic, makeError } from '../../diagnostic.ts';
import type { LocateOffset } from '../../yaml/parse-yaml.ts';
import type { Path } from '../../yaml/parsed-yaml.ts';
import { renderPath } from '../../yaml/render-issue.ts';

/**
 * Finds versions whose text YAML reads as a number with another text: `010` is 10, `0x1F` is 31 and `2.0` is 2. Without a
 * diagnostic, another version than the written one would be served.
 */
export function findRewrittenVersions(document: Document, at: LocateOffset) {
  const diagnostics: Diagnostic[] = [];
  const wrong: Path[] = [];
  const list = document.getIn(['config', 'served_entities'], true);
  for (const [i, item] of (isSeq(list) ? list.items : []).entries()) {
    const node: unknown = isMap(item) ? item.get('entity_version', true) : undefined;
    if (!isScalar(node) || typeof node.value !== 'number' || node.source === undefined) continue;
    if (node.source === String(node.value)) continue;
    const path = ['config', 'served_entities', i, 'entity_version'];
    const message = `Cannot accept ${node.source} for "${renderPath(path)}": YAML reads it as ${String(node.value)}, expected a string`;
    diagnostics.push(makeError('wrong-type', at(node.range?.[0] ?? 0), message, `Put it in quotes: "${node.source}"`));
    wrong.push(path);
  }
  return { diagnostics, wrong };
}
