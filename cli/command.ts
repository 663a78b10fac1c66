import type { ParseArgsConfig } from 'node:util';
import type { Diagnostic } from '../schemas/diagnostic.ts';
import { DEFAULT_ENVIRONMENT } from '../schemas/values/names.ts';
import type { Progress } from '../system/progress.ts';

/** The input of a verb: parsed arguments and its environment. */
export interface Context {
  /** The names and paths after the verb. */
  readonly args: readonly string[];
  readonly options: Options;
  /** The project's folder: `--project`, else the nearest folder upwards with endpoints/. */
  readonly root: string;
  /** The folder where the user runs the command. */
  readonly cwd: string;
  readonly progress: Progress;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

export type Options = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** The result of a verb, which also decides the exit code. */
export interface Outcome {
  readonly diagnostics: readonly Diagnostic[];
  /** For `--json`. */
  readonly result: unknown;
  /** The result for people, on standard output. */
  readonly text: string;
  /** Exit code 1 without a diagnostic: an endpoint refused the request. */
  readonly failed?: boolean;
  /** Exit code 3 without a thrown error, because the rest of the outcome is worth printing. */
  readonly outage?: boolean;
}

/** One verb of `davit`. */
export interface Command {
  /** One line for the list of verbs. */
  readonly summary: string;
  /** The arguments after the verb: `[NAME…]`. */
  readonly usage: string;
  /** Details beyond the summary, with examples. */
  readonly help: string;
  readonly options: Readonly<Record<string, Option>>;
  /** How many names or paths are allowed. */
  readonly args: { readonly min: number; readonly max: number };
  /** The verb changes nothing and so has no safe point to wait for: it ends at the first signal. */
  readonly endsAtOnce?: boolean;
  /** The verb adds to the cache, so the cache is kept below its limit afterwards. */
  readonly fillsCache?: boolean;
  /** The verb follows a policy, so a wrong DAVIT_PICKLES or DAVIT_ADVISORIES is wrong usage. */
  readonly readsPolicy?: boolean;
  readonly run: (context: Context) => Promise<Outcome>;
}

export interface Option {
  readonly type: NonNullable<ParseArgsConfig['options']>[string]['type'];
  readonly short?: string;
  /** May be given several times; the value is a list. */
  readonly multiple?: boolean;
  /** The name of the value in the help: `PATH`. */
  readonly value?: string;
  readonly help: string;
}

/** Wrong usage: exit code 2. */
export class UsageError extends Error {
  /** Whether the help of the verb is the next step; false where the message names it. */
  readonly needsHelp: boolean = true;
}

/** How a verb prints its outcome. */
export const OUTPUT_FORMATS = ['text', 'json', 'sarif'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Options of every verb. */
export const COMMON_OPTIONS: Readonly<Record<string, Option>> = {
  project: {
    type: 'string',
    value: 'FOLDER',
    help: 'The project; default: the nearest folder with endpoints/, from here upwards',
  },
  json: { type: 'boolean', help: 'Print one JSON document on standard output' },
  format: { type: 'string', value: 'FORMAT', help: 'text, json or sarif (for code scanning); default: text' },
  quiet: { type: 'boolean', short: 'q', help: 'Suppress progress' },
  help: { type: 'boolean', short: 'h', help: 'Print this help' },
};

/** The option of verbs that use an environment. */
export const ENVIRONMENT_OPTION: Readonly<Record<string, Option>> = {
  environment: {
    type: 'string',
    short: 'e',
    value: 'NAME',
    help: 'The environment, a file in environments/; default: local, which needs no file; --env for short',
  },
};

/** The option of verbs that read endpoint files. */
export const ENDPOINTS_OPTION: Readonly<Record<string, Option>> = {
  endpoints: {
    type: 'string',
    value: 'FOLDER',
    help: 'Endpoint files and locks are in this folder of the project; default: endpoints',
  },
};

/** The option of verbs that run the code of models to prove them. */
export const SANDBOX_OPTION: Readonly<Record<string, Option>> = {
  'without-sandbox': {
    type: 'boolean',
    help: 'Prove models with your own rights: they can read and change what you can',
  },
};

/** The name of the selected environment. */
export function environmentName({ options }: Context): string {
  const { environment } = options;
  if (environment === '') throw new UsageError('Cannot use "" for --environment: expected the name of an environment');
  return typeof environment === 'string' ? environment : DEFAULT_ENVIRONMENT;
}
