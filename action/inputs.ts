import { getInput } from '@actions/core';
import { PLATFORM } from '../schemas/values/names.ts';

export const COMMANDS = [
  'caches',
  'fetch',
  'validate',
  'preview',
  'report',
  'queue',
  'outdated',
  'due',
  'images',
  'deploy',
  'drift',
  'destroy',
] as const;
export type CommandName = (typeof COMMANDS)[number];

/** How a job ended, in the words of `needs.JOB.result`; undefined: not given. */
export type StageResult = (typeof RESULTS)[number] | undefined;
const RESULTS = ['success', 'failure', 'cancelled', 'skipped'] as const;
/** Further conclusions of a whole workflow run. */
const OTHER_CONCLUSIONS = ['timed_out', 'startup_failure', 'action_required', 'neutral', 'stale'] as const;

/** The action's inputs. Folders are as the workflow wrote them: relative to the workspace, or absolute. */
export interface Inputs {
  readonly command: CommandName;
  readonly project: string;
  /** In the given order. */
  readonly environments: readonly string[];
  /** Empty: the endpoints that the change affects. */
  readonly endpoints: readonly string[];
  readonly base: string | undefined;
  /** The environment in which an endpoint has to be live before it is deployed. */
  readonly after: string | undefined;
  /** A checkout of the pull request, which is only data. */
  readonly pullRequest: string;
  /** The folder that fetch wrote. */
  readonly fetched: string;
  /** The folder that validate wrote. */
  readonly validated: string;
  readonly out: string | undefined;
  /** The folder that contains `davit-validate/` and `davit-preview/`. */
  readonly reports: string;
  readonly results: { readonly fetch: StageResult; readonly validate: StageResult; readonly preview: StageResult };
  /** SHA-256, in hex, of the preview's report.json. */
  readonly previewDigest: string | undefined;
  /** Whether packages are fetched too. */
  readonly withPackages: boolean;
  /** Models run with the rights of the job. */
  readonly withoutSandbox: boolean;
  readonly commitLocks: boolean;
  readonly revert: boolean;
  readonly token: string;
  /** For commits and pull requests that have to start workflows; undefined: the job's own token, which starts none. */
  readonly commitToken: string | undefined;
}

/** The workflow's author has to change an input; the message says how. */
class InputError extends Error {}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
const GIT_REFERENCE = /^[^\s~^:?*[\\\p{Cc}-][^\s~^:?*[\\\p{Cc}]*$/u;

/** Inputs without a default in action.yml, and the commands that use them. */
const COMMANDS_BY_INPUT: Readonly<Record<string, readonly CommandName[]>> = {
  environments: ['fetch', 'validate', 'preview', 'report', 'queue', 'due', 'images', 'deploy', 'drift', 'destroy'],
  endpoints: ['fetch', 'validate', 'preview', 'due', 'images', 'deploy', 'drift', 'destroy'],
  base: ['fetch', 'validate', 'preview'],
  after: ['due', 'images', 'deploy'],
  out: ['fetch', 'validate', 'preview', 'report'],
  'fetch-result': ['validate'],
  'validate-result': ['report'],
  'preview-result': ['report'],
  'preview-digest': ['report'],
  'commit-token': ['report', 'deploy'],
};
const COMMANDS_WITH_ENVIRONMENTS: readonly CommandName[] = ['preview', 'due', 'images', 'deploy', 'drift', 'destroy'];
const COMMANDS_WITH_TOKEN: readonly CommandName[] = [
  'report',
  'queue',
  'outdated',
  'due',
  'images',
  'deploy',
  'drift',
  'destroy',
];

/** The only place that reads the action's inputs. Throws one InputError with all that is wrong. */
export function readInputs(): Inputs {
  const wrong: string[] = [];
  const command = readWord(wrong, 'command', COMMANDS);
  const inputs = {
    project: getInput('project') || '.',
    environments: readNames(wrong, 'environments', 'environments/production.yaml is "production"'),
    endpoints: readNames(wrong, 'endpoints', 'endpoints/iris.yaml is "iris"'),
    base: readBase(wrong),
    after: readNames(wrong, 'after', 'environments/staging.yaml is "staging"').at(0),
    pullRequest: getInput('pull-request') || '.davit/pull-request',
    fetched: getInput('fetched') || 'reports/davit-fetch',
    validated: getInput('validated') || 'reports/davit-validate',
    out: getInput('out') || undefined,
    reports: getInput('reports') || 'reports',
    results: {
      fetch: readResult(wrong, 'fetch-result'),
      validate: readResult(wrong, 'validate-result'),
      preview: readResult(wrong, 'preview-result'),
    },
    previewDigest: readDigest(wrong, 'preview-digest'),
    withPackages: readBoolean(wrong, 'with-packages'),
    withoutSandbox: readBoolean(wrong, 'without-sandbox'),
    commitLocks: readBoolean(wrong, 'commit-locks'),
    revert: readBoolean(wrong, 'revert'),
    token: getInput('github-token'),
    commitToken: getInput('commit-token') || undefined,
  };
  if (command !== undefined) wrong.push(...findUnsupportedInputs(command, inputs));
  else if (getInput('command') === '')
    wrong.push(`Cannot run without "command": expected one of ${COMMANDS.join(', ')}; write it below "with:"`);
  if (command === undefined || wrong.length > 0) throw new InputError(wrong.join('\n'));
  return { command, ...inputs };
}

/** Errors of inputs that are valid alone but do not fit the command. */
function findUnsupportedInputs(
  command: CommandName,
  { environments, token }: Omit<Inputs, 'command'>,
): readonly string[] {
  const unused = Object.entries(COMMANDS_BY_INPUT).filter(
    ([name, by]) => getInput(name) !== '' && !by.includes(command),
  );
  const wrong = unused.map(
    ([name, by]) => `Cannot use "${name}" with command ${command}: only ${by.join(', ')} accept it; remove it`,
  );
  if (COMMANDS_WITH_ENVIRONMENTS.includes(command) && environments.length === 0 && getInput('environments') === '')
    wrong.push(
      `Cannot run ${command} without "environments": expected names of files in environments/, such as production; write them below "with:"`,
    );
  if (COMMANDS_WITH_TOKEN.includes(command) && token === '')
    wrong.push(
      `Cannot run ${command} without "github-token": it is empty, expected a token; remove the input to use the job's own token`,
    );
  return wrong;
}

function readWord<T extends string>(wrong: string[], name: string, words: readonly T[]): T | undefined {
  const given = getInput(name);
  const word = words.find((w) => w === given);
  if (given !== '' && word === undefined)
    wrong.push(`Cannot use ${quoteValue(given)} for "${name}": expected one of ${words.join(', ')}`);
  return word;
}

function readResult(wrong: string[], name: string): StageResult {
  const given = readWord(wrong, name, [...RESULTS, ...OTHER_CONCLUSIONS]);
  return RESULTS.find((r) => r === given) ?? (given === undefined ? undefined : 'failure');
}

function readNames(wrong: string[], name: string, example: string): readonly string[] {
  const given = getInput(name)
    .split(/[\s,]+/)
    .filter((n) => n !== '');
  const isName = (n: string) => NAME.test(n) || (name === 'endpoints' && n === PLATFORM);
  for (const bad of given.filter((n) => !isName(n)))
    wrong.push(
      `Cannot use ${quoteValue(bad)} in "${name}": expected the name of a file without folder and extension; ${example}`,
    );
  return [...new Set(given.filter(isName))];
}

function readBase(wrong: string[]): string | undefined {
  const given = getInput('base');
  if (given !== '' && !GIT_REFERENCE.test(given))
    wrong.push(`Cannot use ${quoteValue(given)} for "base": expected a commit or branch, such as origin/main`);
  return given === '' ? undefined : given;
}

function readDigest(wrong: string[], name: string): string | undefined {
  const given = getInput(name);
  if (!/^(?:[0-9a-f]{64})?$/.test(given))
    wrong.push(`Cannot use ${quoteValue(given)} for "${name}": expected the output "digest" of that step`);
  return given || undefined;
}

function readBoolean(wrong: string[], name: string): boolean {
  const given = getInput(name);
  if (!['', 'true', 'false'].includes(given))
    wrong.push(`Cannot use ${quoteValue(given)} for "${name}": expected true or false`);
  return given === 'true';
}

/** A value for an error message. It is quoted and shortened, because it may come from an event and so from anyone. */
function quoteValue(given: string): string {
  return JSON.stringify(given.length > 80 ? `${given.slice(0, 79)}…` : given);
}
