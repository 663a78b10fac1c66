import { type Document, isMap, isScalar, isSeq, LineCounter, type Node } from 'yaml';
import { readOwn } from '../../schemas/values/read-own.ts';
import { parseDocument } from '../../schemas/yaml/parse-document.ts';

/** One field of a resolved endpoint or environment. */
export interface Setting {
  /** `config.served_entities[0].workload_size` */
  readonly field: string;
  /** As JSON would have it; undefined: nothing is set. */
  readonly value: unknown;
  /** `endpoints/iris.yaml:6`, or `default` with the reason. */
  readonly source: string;
}

export type Path = readonly (string | number)[];

/** Finds the line of a field in a file. Undefined: the file does not have the field. */
export type FindField = (path: Path) => string | undefined;

/** Deprecated names of fields, which are read like the new ones. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  served_entities: 'served_models',
  entity_name: 'model_name',
  entity_version: 'model_version',
  served_entity_name: 'served_model_name',
};

/** Reads where the fields of a file are. `text` undefined: no file, so that every value is a default. */
export function makeFieldFinder(text: string | undefined, file: string): FindField {
  const lines = new LineCounter();
  const document = parseDocument(text ?? '', { lineCounter: lines, logLevel: 'error' });
  return (path) => {
    const offset = findOffset(document, path);
    return offset === undefined ? undefined : `${file}:${Math.max(1, lines.linePos(offset).line)}`;
  };
}

function findOffset({ contents }: Document, path: Path): number | undefined {
  let node: unknown = contents;
  let offset: number | undefined;
  for (const step of path) {
    if (typeof step === 'number') {
      node = isSeq(node) ? node.items[step] : undefined;
      offset = (node as Node | undefined)?.range?.[0];
    } else {
      const names = [step, readOwn(OLD_NAMES, step)];
      const pair = isMap(node)
        ? node.items.find((p) => isScalar(p.key) && names.includes(String(p.key.value)))
        : undefined;
      node = pair?.value;
      offset = (pair?.key as Node | undefined)?.range?.[0];
    }
    if (offset === undefined) return undefined;
  }
  return offset;
}

/** `config.served_entities[0].name` */
export function renderField(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}
