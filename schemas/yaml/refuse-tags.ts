import { type Document, isScalar, type Node, visit } from 'yaml';
import { type Diagnostic, makeError, type SourceLocation } from '../diagnostic.ts';

/** The types that a value has without a tag. */
const PLAIN_TYPES = ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((type) => `tag:yaml.org,2002:${type}`);

/**
 * Refuses what would give a value another meaning than a reader expects: a tag of another program (`!Ref`, `!secret`),
 * a type that JSON has not (`!!binary`), and an older version of YAML, in which `yes` is true and `010` is 8.
 */
export function refuseTags(document: Document, at: (offset: number) => SourceLocation): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const version = document.directives?.yaml;
  if (version?.explicit === true && version.version !== '1.2') {
    const message = `Cannot read YAML: it asks for version ${version.version}, expected 1.2`;
    found.push(makeError('bad-yaml', at(0), message, 'Remove the line that begins with %YAML'));
  }
  visit(document, {
    Node: (_key, node) => {
      const { tag, range } = node;
      if (tag === undefined || (PLAIN_TYPES.includes(tag) && isResolved(node))) return;
      const name = tag.replace('tag:yaml.org,2002:', '!!');
      const message = `Cannot read YAML: the tag "${name}" has no meaning here, expected a value without it`;
      const hint = 'Remove the tag. A secret is "{{secrets/SCOPE/KEY}}"';
      found.push(makeError('bad-yaml', at(range?.[0] ?? 0), message, hint));
    },
  });
  return found;
}

/** `!!int abc` stays a text. */
function isResolved(node: Node): boolean {
  const type = {
    'tag:yaml.org,2002:int': 'number',
    'tag:yaml.org,2002:float': 'number',
    'tag:yaml.org,2002:bool': 'boolean',
  };
  const expected = (type as Partial<Record<string, string>>)[node.tag ?? ''];
  return !isScalar(node) || expected === undefined || typeof node.value === expected;
}
