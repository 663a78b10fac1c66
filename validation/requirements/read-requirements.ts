import { readModelText } from '../model/read-model-text.ts';
import { maskSecrets } from '../../schemas/values/mask-secrets.ts';
import type { SourceLocation } from '../../schemas/diagnostic.ts';
import { removeComment } from '../../python/remove-comment.ts';
import { posix, resolve } from 'node:path';
import { isBelow } from '../../system/is-below.ts';
import {
  type OptionLine,
  type ParsedRequirements,
  parseLines,
  parseRequirements,
  type Requirement,
} from './parse-requirements.ts';
import { reportIgnoredOption } from './report-option.ts';
import type { ModelProblem } from '../subject.ts';

export interface RequirementsReadResult {
  /** Whether the model has a list of requirements. */
  readonly found: boolean;
  readonly requirements: readonly Requirement[];
  readonly constraints: readonly Requirement[];
  readonly problems: readonly ModelProblem[];
}

/** A requirement in a YAML file. */
export interface ListedLine {
  readonly text: string;
  readonly at: SourceLocation;
}

const MAX_DEPTH = 5;

/**
 * Reads requirements.txt and its includes. Without that file (MLflow 1.x), reads the pip part of conda.yaml. Adds what
 * python_env.yaml lists itself, which MLflow installs too.
 */
export async function readRequirements(
  folder: string,
  { conda, pythonEnv }: { readonly conda: readonly ListedLine[]; readonly pythonEnv: readonly ListedLine[] },
): Promise<RequirementsReadResult> {
  const text = await readModelText(folder, 'requirements.txt');
  const own = pythonEnv.filter((line) => !/^(?:-r|--requirement)[=\s]*(?:\.\/)?requirements\.txt$/.test(line.text));
  const main = text === undefined ? parseListed(conda) : parseRequirements(text, 'requirements.txt');
  const read = await readIncludes(folder, main, ['requirements.txt']);
  const more = await readIncludes(folder, parseListed(own), []);
  const known = new Set(read.requirements.map((r) => r.name));
  return {
    found: text !== undefined || conda.length > 0 || own.length > 0,
    requirements: [...read.requirements, ...more.requirements.filter((r) => !known.has(r.name))],
    constraints: [...read.constraints, ...more.constraints],
    problems: [...read.problems, ...more.problems],
  };
}

function parseListed(lines: readonly ListedLine[]): ParsedRequirements {
  return parseLines(
    lines.flatMap(({ text, at }) => {
      const content = removeComment(text).trim();
      return content === '' ? [] : [{ content, at }];
    }),
  );
}

type RequirementLists = Omit<RequirementsReadResult, 'found'>;

/** `parents`: the files that lead to this one. */
async function readIncludes(
  folder: string,
  { requirements, options, unreadable }: ParsedRequirements,
  parents: readonly string[],
): Promise<RequirementLists> {
  const included = await Promise.all(options.map((o) => readOption(folder, o, parents)));
  const problems = unreadable.map(({ text, why, hint, at }) =>
    makeProblem(`Cannot parse the requirement "${maskSecrets(text)}": ${why}`, at, hint),
  );
  return {
    requirements: [...requirements, ...included.flatMap((i) => i.requirements)],
    constraints: included.flatMap((i) => i.constraints),
    problems: [...problems, ...included.flatMap((i) => i.problems)],
  };
}

async function readOption(folder: string, line: OptionLine, parents: readonly string[]): Promise<RequirementLists> {
  const { option, value, at } = line;
  if (!/^(-r|--requirement|-c|--constraint)$/.test(option))
    return { requirements: [], constraints: [], problems: reportIgnoredOption(line) };
  const refuse = (why: string): RequirementLists => ({
    requirements: [],
    constraints: [],
    problems: [
      makeProblem(`Cannot read "${`${option} ${maskSecrets(value)}`.trim()}": ${why}`, at, renderIncludeHint(at)),
    ],
  });
  if (/^[a-z][a-z0-9+.-]+:/i.test(value)) return refuse('it is an address, expected a file in the model');
  const file = posix.join(posix.dirname(at.file), value);
  if (value.startsWith('/') || !isBelow(resolve(folder, file), resolve(folder)))
    return refuse('there is no such file in the model');
  if (parents.includes(file)) return refuse('the file includes itself');
  const text = parents.length <= MAX_DEPTH ? await readModelText(folder, file) : undefined;
  if (text === undefined) return refuse('there is no such file in the model');
  const read = await readIncludes(folder, parseRequirements(text, file), [...parents, file]);
  if (/^(-r|--requirement)$/.test(option)) return read;
  const constraints = [...read.requirements, ...read.constraints];
  const faulty = constraints.filter((c) => c.source !== undefined || c.fault !== undefined).map(refuseConstraint);
  return { requirements: [], constraints, problems: [...read.problems, ...faulty] };
}

/** With a requirements.txt, the pip section of conda.yaml would no longer count. */
function renderIncludeHint({ file }: SourceLocation): string {
  return `Write the lines of that file in place of it into ${file} of the model, or log the model with them`;
}

/** uv would take the package from there: clone a repository, for example. */
function refuseConstraint({ written, fault, at }: Requirement): ModelProblem {
  const why = fault?.why ?? 'it is an address or a file, expected a version';
  const hint =
    fault?.instead === undefined ? 'Write it into requirements.txt as a requirement' : `Write "${fault.instead}"`;
  return makeProblem(`Cannot use the constraint "${maskSecrets(written)}": ${why}`, at, hint);
}

function makeProblem(message: string, at: SourceLocation, hint: string | undefined): ModelProblem {
  return { code: 'requirement-invalid', severity: 'error', message, hint, at };
}
