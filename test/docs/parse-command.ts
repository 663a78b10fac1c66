import { COMMANDS } from '../../cli/commands.ts';
import { type Parsed, parseArguments } from '../../cli/parse-arguments.ts';

export interface ParsedCommand extends Parsed {
  readonly verb: string;
}

/** Parses `sudo npx davit VERB …` as Davit does. Throws what a user would read. */
export async function parseCommand(words: readonly string[]): Promise<ParsedCommand> {
  const [verb = '', ...rest] = words.slice(words.indexOf('davit') + 1);
  const load = COMMANDS[verb];
  if (!load) throw new Error(`Cannot run "${verb}": there is no such verb`);
  return { verb, ...parseArguments(await load(), rest) };
}

/** Which kind of command a test has to run: `up NAME --environment`. */
export function describeKind({ verb, args: [first], options }: ParsedCommand): string {
  const name = first === undefined ? [] : [verb === 'cluster' || first.startsWith('_') ? first : 'NAME'];
  const given = Object.keys(options).map((option) => `--${option}`);
  return [verb, ...name, ...given.sort()].join(' ');
}
