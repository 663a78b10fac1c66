import { parseArgs } from 'node:util';
import { type Command, COMMON_OPTIONS, type Options, UsageError } from './command.ts';

export interface Parsed {
  readonly args: readonly string[];
  readonly options: Options;
}

/** Arguments after the verb → names and options, or a UsageError that says what was expected. */
export function parseArguments(command: Command, argv: readonly string[]): Parsed {
  const known = { ...command.options, ...COMMON_OPTIONS };
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { type, short, multiple = false }]) => [
      name,
      { type, multiple, ...(short !== undefined && { short }) },
    ]),
  );
  const parsed = parse('environment' in options ? argv.map(spellOut) : argv, options);
  const { min, max } = command.args;
  const count = parsed.positionals.length;
  if (!parsed.values['help'] && (count < min || count > max)) {
    throw new UsageError(
      count === 0
        ? `Cannot run without arguments: expected ${command.usage}`
        : `Cannot accept "${parsed.positionals.join(' ')}": expected ${command.usage || 'only options'}`,
    );
  }
  return { args: parsed.positionals, options: parsed.values };
}

/** Accepts `--env`, because many users write it. */
function spellOut(argument: string): string {
  return argument.replace(/^--env(?==|$)/, '--environment');
}

function parse(argv: readonly string[], options: NonNullable<Parameters<typeof parseArgs>[0]>['options']) {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options: options ?? {}, allowPositionals: true });
    return { values: values as Options, positionals };
  } catch (e) {
    throw new UsageError(
      `Cannot understand the options: ${e instanceof Error ? (e.message.split(/\. |\n/)[0]?.replace(/\.$/, '') ?? '') : String(e)}`,
      { cause: e },
    );
  }
}

/** The text of an option; undefined if it is not given. An empty text, as from an unset variable, is wrong usage. */
export function textOption(options: Options, name: string): string | undefined {
  const text = options[name];
  if (typeof text !== 'string') return undefined;
  if (text.trim() === '') throw new UsageError(`Cannot use "${text}" for --${name}: expected something in it`);
  return text;
}

/** A whole number as an option; undefined if it is not given. */
export function wholeNumber(
  options: Options,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  const text = options[name];
  if (typeof text !== 'string') return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new UsageError(`Cannot use "${text}" for --${name}: expected a whole number from ${min} to ${max}`);
  }
  return value;
}

/** One of several words as an option; undefined if it is not given. */
export function oneOf<T extends string>(options: Options, name: string, words: readonly T[]): T | undefined {
  const text = options[name];
  if (typeof text !== 'string') return undefined;
  const word = words.find((w) => w === text);
  if (word !== undefined) return word;
  throw new UsageError(
    `Cannot use "${text}" for --${name}: expected ${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`,
  );
}
