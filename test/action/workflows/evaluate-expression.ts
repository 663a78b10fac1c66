// GitHub's expressions, such as the `if:` of a job: enough of them to say which jobs an event starts, and in which group.

export type Contexts = Readonly<Record<string, unknown>>;

/** `always()` and the like: whether a job starts although an earlier one has failed or was cancelled. */
export interface JobStatus {
  readonly cancelled: boolean;
  readonly failed: boolean;
}

const TOKEN = /\s*(?:('(?:[^']|'')*')|(\d+)|([A-Za-z_][\w-]*)|(&&|\|\||[!=]=|[!().,]))/y;

/** The value of an expression with or without `${{ }}` around it. Throws for syntax that our workflows do not use. */
export function evaluateExpression(text: string, contexts: Contexts, status?: JobStatus): unknown {
  const source = /^\s*\$\{\{(.*)\}\}\s*$/s.exec(text)?.[1] ?? text;
  const parser = new ExpressionParser(tokenize(source), contexts, status ?? { cancelled: false, failed: false });
  return parser.parse();
}

/** A text with expressions in it, as GitHub fills it in. */
export function fillTemplate(text: string, contexts: Contexts): string {
  return text.replaceAll(/\$\{\{([^}]*)\}\}/g, (_, inner: string) => renderValue(evaluateExpression(inner, contexts)));
}

/** Whether a job starts. Without a status function in its condition, it also needs the success of the jobs before it. */
export function startsJob(condition: string | undefined, contexts: Contexts, status: JobStatus): boolean {
  const text = condition ?? 'success()';
  const whole = /\b(?:always|cancelled|failure|success)\(\)/.test(text) || (!status.cancelled && !status.failed);
  return whole && isTruthy(evaluateExpression(text, contexts, status));
}

function tokenize(source: string): readonly string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (source.slice(TOKEN.lastIndex).trim() !== '') {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(source);
    if (!found) throw new SyntaxError(`Cannot read the expression at "${source.slice(at)}"`);
    tokens.push(found[0].trim());
  }
  return tokens;
}

class ExpressionParser {
  readonly #tokens: readonly string[];
  readonly #contexts: Contexts;
  readonly #status: JobStatus;
  #at = 0;

  constructor(tokens: readonly string[], contexts: Contexts, status: JobStatus) {
    this.#tokens = tokens;
    this.#contexts = contexts;
    this.#status = status;
  }

  parse(): unknown {
    const value = this.#or();
    if (this.#at < this.#tokens.length) throw new SyntaxError(`Cannot read "${this.#tokens[this.#at] ?? ''}" here`);
    return value;
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }

  #or(): unknown {
    let value = this.#and();
    while (this.#take('||')) {
      const other = this.#and();
      value = isTruthy(value) ? value : other;
    }
    return value;
  }

  #and(): unknown {
    let value = this.#comparison();
    while (this.#take('&&')) {
      const other = this.#comparison();
      value = isTruthy(value) ? other : value;
    }
    return value;
  }

  #comparison(): unknown {
    const value = this.#unary();
    if (this.#take('==')) return isEqual(value, this.#unary());
    if (this.#take('!=')) return !isEqual(value, this.#unary());
    return value;
  }

  #unary(): unknown {
    if (this.#take('!')) return !isTruthy(this.#unary());
    if (!this.#take('(')) return this.#operand();
    const value = this.#or();
    if (!this.#take(')')) throw new SyntaxError('Cannot read the expression: a bracket is not closed');
    return value;
  }

  #operand(): unknown {
    const token = this.#tokens[this.#at++] ?? '';
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
    if (/^\d/.test(token)) return Number(token);
    if (['true', 'false', 'null'].includes(token)) return JSON.parse(token) as unknown;
    if (this.#take('(')) return this.#callStatus(token);
    let value = readProperty(this.#contexts, token);
    while (this.#take('.')) value = readProperty(value, this.#tokens[this.#at++] ?? '');
    return value;
  }

  #callStatus(name: string): boolean {
    const { cancelled, failed } = this.#status;
    const functions = { always: true, cancelled, failure: failed, success: !cancelled && !failed };
    if (!this.#take(')') || !(name in functions)) throw new SyntaxError(`Cannot call ${name}(): it is not known here`);
    return functions[name as keyof typeof functions];
  }
}

function readProperty(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return null;
  return (value as Contexts)[name] ?? null;
}

function isTruthy(value: unknown): boolean {
  return !['', 0, false, null].includes(value as string) && !Number.isNaN(value);
}

/** GitHub compares texts without regard to case, and other types as numbers. */
function isEqual(one: unknown, other: unknown): boolean {
  if (typeof one === 'string' && typeof other === 'string') return one.toLowerCase() === other.toLowerCase();
  if (typeof one === typeof other) return one === other;
  return toNumber(one) === toNumber(other);
}

function toNumber(value: unknown): number {
  if (value === null) return 0;
  return typeof value === 'object' ? Number.NaN : Number(value);
}

function renderValue(value: unknown): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  return typeof value === 'object' ? 'Object' : JSON.stringify(value);
}
