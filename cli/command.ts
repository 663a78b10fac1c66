import type { ParseArgsConfig } from 'node:util';
import type { Diagnostic } from '../schemas/diagnostic.ts';
import type { ProjectPlace } from '../schemas/read-declared.ts';
import type { Progress } from '../system/progress.ts';

/** What a verb gets: parsed arguments and the edges of the world. */
export interface Context {
  /** Names and paths after the verb. */
  readonly args: readonly string[];
  readonly options: Options;
  /** The project's folder: the nearest one upwards that has a Pulumi.yaml. */
  readonly root: string;
  /** Where endpoint files, locks and models are, when not in the project; a verb that a person calls has none. */
  readonly declared?: Pick<ProjectPlace, 'from' | 'locks'>;
  /** Where the user typed the command. */
  readonly cwd: string;
  readonly progress: Progress;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

export type Options = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** What a verb gives back; the exit code follows from it. */
export interface Outcome {
  readonly diagnostics: readonly Diagnostic[];
  /** For `--json`. */
  readonly result: unknown;
  /** The same for people: standard output. */
  readonly text: string;
  /** Exit code 1 though there is no diagnostic: an endpoint refused the request. */
  readonly failed?: boolean;
  /** Exit code 3 though nothing was thrown: the rest of the outcome is worth printing. */
  readonly outage?: boolean;
}

/** One verb of `davit`. */
export interface Command {
  /** One line for the list of verbs. */
  readonly summary: string;
  /** What follows the verb: `[NAME…]`. */
  readonly usage: string;
  /** More than the summary, with examples. */
  readonly help: string;
  readonly options: Readonly<Record<string, Option>>;
  /** How many names or paths may follow. */
  readonly args: { readonly min: number; readonly max: number };
  readonly run: (context: Context) => Promise<Outcome>;
}

export interface Option {
  readonly type: NonNullable<ParseArgsConfig['options']>[string]['type'];
  readonly short?: string;
  /** May be given several times: the value is a list. */
  readonly multiple?: boolean;
  /** Name of the value in the help: `PATH`. */
  readonly value?: string;
  readonly help: string;
}

/** Wrong usage: exit code 2. */
export class UsageError extends Error {}

/** Options that every verb takes. */
export const COMMON_OPTIONS: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', help: 'Print one JSON document on standard output' },
  quiet: { type: 'boolean', short: 'q', help: 'Say nothing on the way' },
  help: { type: 'boolean', short: 'h', help: 'Print this help' },
};

/** For verbs that speak to an environment. */
export const ENVIRONMENT_OPTION: Readonly<Record<string, Option>> = {
  environment: {
    type: 'string',
    short: 'e',
    value: 'NAME',
    help: 'The environment, a file in environments/; default: local; --env for short',
  },
};

/** The environment asked for. */
export function environmentName({ options }: Context): string {
  return typeof options['environment'] === 'string' ? options['environment'] : 'local';
}
