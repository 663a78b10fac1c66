/** Texts that make a backtracking engine retry again and again, made from the pattern itself. */

interface Element {
  /** A text that the element matches. */
  readonly sample: string;
}

/** One way through a pattern, as the texts that its parts match one after the other. */
type Path = readonly Element[];

const MOST_PATHS = 12;
const MOST_SLICE = 4;
/** Characters that classes commonly share. Two neighbouring quantifiers that both match one can exchange it. */
const COMMON = [' ', '\t', '\n', 'a', '0', '-', '.', '/', '=', '@', "'", '"', ':', '<', '{', '?'];

/** A matching start, and a part to repeat after it. */
export interface Attack {
  readonly head: string;
  readonly unit: string;
}

/** Every attack that can be derived from the parts of a pattern. */
export function* listAttacks(source: string): Generator<Attack> {
  const made = new Set<string>();
  for (const path of new PatternReader(source).readPaths()) {
    for (let begin = 0; begin <= path.length; begin++) {
      const head = join(path.slice(0, begin));
      const units = new Set(COMMON);
      for (let i = 0; i <= begin && i < path.length; i++)
        for (let j = i + 1; j <= Math.min(path.length, i + MOST_SLICE); j++) units.add(join(path.slice(i, j)));
      units.add(join(path.slice(begin, -1)));
      units.add(join(path));
      for (const unit of units) {
        const key = `${head}\0${unit}`;
        if (unit === '' || made.has(key)) continue;
        made.add(key);
        yield { head, unit };
      }
    }
  }
}

function join(path: Path): string {
  return path.map((e) => e.sample).join('');
}

/** Reads a pattern as far as attacks need it: groups, alternatives, classes, escapes; quantifiers count as once. */
class PatternReader {
  private at = 0;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  readPaths(): readonly Path[] {
    const alternatives: Path[] = [];
    let paths: Path[] = [[]];
    while (this.at < this.source.length && this.source[this.at] !== ')') {
      if (this.source[this.at] === '|') {
        this.at++;
        alternatives.push(...paths);
        paths = [[]];
        continue;
      }
      const parts = this.readPart();
      paths = parts.flatMap((part) => paths.map((path) => [...path, ...part])).slice(0, MOST_PATHS);
    }
    return [...alternatives, ...paths].slice(0, MOST_PATHS);
  }

  private readPart(): readonly Path[] {
    const c = this.source[this.at] ?? '';
    if (c === '(') {
      const head = /^\((?:\?(?::|<?[=!]|<\w+>))?/.exec(this.source.slice(this.at))?.[0] ?? '(';
      this.at += head.length;
      const inner = this.readPaths();
      this.at++;
      this.skipQuantifier();
      return /[=!]$/.test(head) ? [[]] : inner;
    }
    this.at++;
    if (c === '^' || c === '$') return [[]];
    const sample = c === '[' ? this.readClass() : c === '\\' ? this.readEscape() : c === '.' ? 'a' : c;
    this.skipQuantifier();
    return [[{ sample }]];
  }

  private readEscape(): string {
    const c = this.source[this.at++] ?? '';
    if (c === 'u') {
      const code = /^(?:\{([0-9a-f]+)\}|([0-9a-f]{4}))/i.exec(this.source.slice(this.at));
      this.at += code?.[0].length ?? 0;
      return String.fromCodePoint(parseInt(code?.[1] ?? code?.[2] ?? '61', 16));
    }
    return { d: '0', w: 'a', s: ' ', S: 'a', D: 'a', W: ' ', n: '\n', t: '\t', r: '\r', b: '', B: '' }[c] ?? c;
  }

  private readClass(): string {
    const end = /^(?:[^\]\\]|\\.)*\]/.exec(this.source.slice(this.at))?.[0] ?? ']';
    this.at += end.length;
    const members = new RegExp(`^[${end}$`);
    return Array.from(`a0A~! .-_/\n${end}`).find((c) => members.test(c)) ?? 'a';
  }

  private skipQuantifier(): void {
    this.at += /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(this.source.slice(this.at))?.[0].length ?? 0;
  }
}
