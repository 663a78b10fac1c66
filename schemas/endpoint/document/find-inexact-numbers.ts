import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Node, type Scalar } from 'yaml';
import { type Diagnostic, makeError } from '../../diagnostic.ts';
import type { LocateOffset } from '../../yaml/parse-yaml.ts';
import type { Path } from '../../yaml/parsed-yaml.ts';
import { renderPath } from '../../yaml/render-issue.ts';
import { resolveAliases } from '../../yaml/resolve-aliases.ts';

/** The fields of a validation case that can have any value, and what to write instead of such a number. */
const HINTS: Readonly<Record<string, string>> = {
  input_data:
    'Write the whole body as a text, or use input_path: input_data: \'{"inputs": [9007199254740993]}\', for example',
  expect:
    'Write null for a value that is not finite, and a decimal point in a large number: numbers may differ by one millionth',
};

/**
 * Finds the numbers in validation cases that the lock, which is JSON, cannot contain. Without a diagnostic the model
 * would get another value than the written one.
 */
export function findInexactNumbers(document: Document, at: LocateOffset): readonly Diagnostic[] {
  const search = new NumberSearch(document, at);
  const root = ['davit', 'served_entities'];
  return search.listFields(document.contents, root).flatMap(([entity, settings]) => {
    const path = [...root, entity, 'validation'];
    const fields = search.listFields(settings, ['validation']);
    const cases = search.listFields(settings, ['validation', 'cases']);
    return [
      ...search.checkCase(fields, path),
      ...cases.flatMap(([name, value]) => search.checkCase(search.listFields(value, []), [...path, 'cases', name])),
    ];
  });
}

type Fields = readonly (readonly [name: string, value: unknown])[];

class NumberSearch {
  readonly #at: LocateOffset;
  /** A node behind an alias is visited only once, because aliases of aliases can be too many to expand. */
  readonly #visited = new Set<unknown>();
  readonly #targets: ReadonlyMap<Alias, Node | undefined>;

  constructor(document: Document, at: LocateOffset) {
    this.#at = at;
    this.#targets = resolveAliases(document);
  }

  /** The fields of the map at a path below a node. */
  listFields(node: unknown, [step, ...rest]: readonly string[]): Fields {
    const map = this.#follow(node);
    if (!isMap(map)) return [];
    const fields = map.items.map(({ key, value }) => [isScalar(key) ? String(key.value) : '', value] as const);
    if (step === undefined) return fields;
    return this.listFields(fields.find(([name]) => name === step)?.[1], rest);
  }

  checkCase(fields: Fields, path: Path): readonly Diagnostic[] {
    return fields.flatMap(([name, value]) => {
      const hint = Object.hasOwn(HINTS, name) ? HINTS[name] : undefined;
      return hint === undefined ? [] : this.#check(value, [...path, name], hint);
    });
  }

  #follow(node: unknown): unknown {
    return isAlias(node) ? this.#follow(this.#targets.get(node)) : node;
  }

  #check(written: unknown, path: Path, hint: string): readonly Diagnostic[] {
    const node = this.#follow(written);
    if (this.#visited.has(node)) return [];
    if (node !== null) this.#visited.add(node);
    if (isSeq(node)) return node.items.flatMap((item, i) => this.#check(item, [...path, i], hint));
    if (isMap(node))
      return node.items.flatMap(({ key, value }) => [
        ...this.#check(key, path, hint),
        ...this.#check(value, isScalar(key) ? [...path, String(key.value)] : path, hint),
      ]);
    if (!isScalar(node) || !isInexact(node)) return [];
    const place = this.#at(node.range?.[0] ?? 0);
    const message = `Cannot use ${node.source ?? String(node.value)} in "${renderPath(path)}": a lock cannot contain it exactly, expected a finite number, as an integer at most ${Number.MAX_SAFE_INTEGER}`;
    return [makeError('bad-value', place, message, hint)];
  }
}

/** A number that is written with a fraction or an exponent has the usual precision of such numbers. */
function isInexact({ value, source = '' }: Scalar): boolean {
  if (typeof value !== 'number') return false;
  const isWrittenAsInteger = /^[-+]?\d+$|^0[ox]/.test(source);
  return !Number.isFinite(value) || (isWrittenAsInteger && !Number.isSafeInteger(value));
}
