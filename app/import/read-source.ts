import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node } from 'yaml';
import { type Diagnostic, makeError, type SourceLocation } from '../../schemas/diagnostic.ts';
import { explainYamlErrors, findDisallowedCharacter } from '../../schemas/yaml/explain-yaml-errors.ts';
import { parseDocument } from '../../schemas/yaml/parse-document.ts';
import { resolveAliases } from '../../schemas/yaml/resolve-aliases.ts';
import { makeMap, type SourceNode } from './source-node.ts';

export interface ReadSource {
  readonly root: SourceNode | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

const MAX_NODES = 1_000_000;

/** Reads YAML or JSON into nodes with places. Aliases and merge keys are expanded, as bundles use them. */
export function readSource(text: string, file: string): ReadSource {
  const content = text.replace(/^\uFEFF/, '');
  const lines = new LineCounter();
  const disallowed = findDisallowedCharacter(content, file);
  if (disallowed) return { root: undefined, diagnostics: [disallowed] };
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false, logLevel: 'error', merge: true });
  const at = (offset: number): SourceLocation => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (document.errors.length > 0)
    return { root: undefined, diagnostics: explainYamlErrors(document.errors, content, at) };
  let count = 0;
  const targets = resolveAliases(document);
  const convert = (node: unknown, fallback: SourceLocation): SourceNode => {
    count += 1;
    if (count > MAX_NODES) throw new TooLarge();
    const offset = (node as Node | null)?.range?.[0];
    const place = offset === undefined ? fallback : at(offset);
    if (isAlias(node)) return { ...convert(targets.get(node), place), place };
    if (isSeq(node)) return { place, value: node.items.map((item) => convert(item, place)) };
    if (isMap(node)) {
      const pairs = node.items.map((pair) => convertPair(pair.key, pair.value, place));
      return makeMap(
        [...pairs.filter((p) => p.isMerged), ...pairs.filter((p) => !p.isMerged)].flatMap((p) => p.fields),
        place,
      );
    }
    return { place, value: isScalar(node) ? readScalar(node.value) : null };
  };
  const convertPair = (key: unknown, value: unknown, place: SourceLocation): Pair => {
    const name = isScalar(key) ? readKey(key.value) : undefined;
    const offset = (key as Node | null)?.range?.[0];
    const child = convert(value, offset === undefined ? place : at(offset));
    if (name === '<<') return { isMerged: true, fields: listMerged(child) };
    return { isMerged: false, fields: name === undefined ? [] : [[name, child]] };
  };
  try {
    return { root: convert(document.contents, at(0)), diagnostics: [] };
  } catch (e) {
    if (!(e instanceof TooLarge || e instanceof RangeError)) throw e;
    const message = `Cannot read ${file}: it is nested too deeply or expands too many aliases`;
    return { root: undefined, diagnostics: [makeError('bad-yaml', at(0), message)] };
  }
}

/** The fields that a pair of a map stands for. Fields of the map itself override those of a merge key. */
interface Pair {
  readonly isMerged: boolean;
  readonly fields: readonly (readonly [string, SourceNode])[];
}

class TooLarge extends Error {}

/** The parser of YAML makes a symbol of the key `<<`. */
function readKey(value: unknown): string {
  return typeof value === 'symbol' ? '<<' : String(value);
}

function readScalar(value: unknown): SourceNode['value'] {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return typeof value === 'bigint' ? Number(value) : null;
}

/** `<<: *base` puts the fields of one or several maps before the own fields, which override them. */
function listMerged(node: SourceNode): (readonly [string, SourceNode])[] {
  const maps = Array.isArray(node.value) ? (node.value as readonly SourceNode[]) : [node];
  return maps.flatMap((map) => (map.value instanceof Map ? [...(map.value as ReadonlyMap<string, SourceNode>)] : []));
}
