/** A place in a text where another system would put the value of a variable. */
export interface Reference {
  /** As it is written: `${var.catalog}`. */
  readonly text: string;
  /**
   * `system`: certainly of a bundle, Terraform or a workflow. `shell`: `${NAME}`. `secret`: `{{secrets/scope/key}}`.
   * `other`: any other `${…}` or `{{…}}`.
   */
  readonly kind: 'system' | 'shell' | 'secret' | 'other';
}

/** The first words of references in bundles, Terraform and workflows. */
const SYSTEMS =
  /(?:^|[^\w.])(?:artifacts|bundle|data|each|env|github|inputs|job|jobs|local|matrix|module|needs|path|resources|secrets|self|steps|tasks|terraform|var|variables|vars|workspace|databricks_\w{1,60})\s{0,9}[.[]/;

/** Finds every `${…}` and `{{…}}` of a text. A reference ends with its own closing brace. */
export function findReferences(text: string): readonly Reference[] {
  const found: Reference[] = [];
  for (let at = findStart(text, 0); at >= 0;) {
    const end = findEnd(text, at);
    if (end === undefined) return found;
    const reference = text.slice(at, end);
    found.push({ text: reference, kind: classify(reference) });
    at = findStart(text, end);
  }
  return found;
}

function findStart(text: string, from: number): number {
  const starts = [text.indexOf('${', from), text.indexOf('{{', from)].filter((i) => i >= 0);
  return starts.length === 0 ? -1 : Math.min(...starts);
}

/** The offset after the closing brace; undefined if the braces do not close. */
function findEnd(text: string, start: number): number | undefined {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    if (text[i] === '{') depth += 1;
    if (text[i] === '}') depth -= 1;
    if (text[i] === '}' && depth === 0) return i + 1;
  }
  return undefined;
}

function classify(reference: string): Reference['kind'] {
  const inner = reference.replace(/^\$?\{{1,2}/, '').replace(/\}{1,2}$/, '');
  if (/^\s{0,9}secrets\//.test(inner)) return 'secret';
  if (SYSTEMS.test(inner)) return 'system';
  if (!reference.startsWith('$')) return 'other';
  if (/^\s{0,9}[A-Za-z_]\w{0,99}(?:\.\w{1,99}){1,20}\s{0,9}$/.test(inner)) return 'system';
  return /^[A-Za-z_]\w{0,99}(?::?[-?+=].*)?$/.test(inner) ? 'shell' : 'other';
}
