import { posix, resolve, sep } from 'node:path';
import { readModelText } from '../model/read-model-text.ts';
import { hasCredentials, maskSecrets } from '../model/mask-secrets.ts';
import { type OptionLine, type ParsedRequirements, parseRequirements, type Requirement } from './parse-requirements.ts';
import type { ModelProblem } from '../subject.ts';

export interface RequirementsReadResult {
  /** Whether the model has a file with requirements. */
  readonly found: boolean;
  readonly requirements: readonly Requirement[];
  readonly constraints: readonly Requirement[];
  readonly problems: readonly ModelProblem[];
}

const MAX_DEPTH = 5;

/** Reads requirements.txt and its includes. Without that file (MLflow 1.x), reads the pip part of conda.yaml. */
export async function readRequirements(
  folder: string,
  condaPip: readonly string[] | undefined,
): Promise<RequirementsReadResult> {
  const text = await readModelText(folder, 'requirements.txt');
  if (text !== undefined)
    return { found: true, ...(await readIncludes(folder, parseRequirements(text, 'requirements.txt'), 0)) };
  if (condaPip && condaPip.length > 0)
    return { found: true, ...(await readIncludes(folder, parseRequirements(condaPip.join('\n'), 'conda.yaml'), 0)) };
  return { found: false, requirements: [], constraints: [], problems: [] };
}

type RequirementLists = Omit<RequirementsReadResult, 'found'>;

async function readIncludes(folder: string, parsed: ParsedRequirements, depth: number): Promise<RequirementLists> {
  const { requirements, options, unreadable } = parsed;
  const included = await Promise.all(options.map((o) => readOption(folder, o, depth)));
  const problems = unreadable.map(({ text, at }): ModelProblem => ({
    code: 'requirement-invalid',
    severity: 'error',
    message: `Cannot parse the requirement "${maskSecrets(text)}": expected NAME==VERSION`,
    at,
  }));
  return {
    requirements: [...requirements, ...included.flatMap((i) => i.requirements)],
    constraints: included.flatMap((i) => i.constraints),
    problems: [...problems, ...included.flatMap((i) => i.problems)],
  };
}

async function readOption(folder: string, line: OptionLine, depth: number): Promise<RequirementLists> {
  const { option, value } = line;
  if (/^(-r|--requirement|-c|--constraint)$/.test(option)) {
    const file = posix.join(posix.dirname(line.at.file), value);
    const inside = resolve(folder, file).startsWith(resolve(folder) + sep);
    const text = inside && depth < MAX_DEPTH ? await readModelText(folder, file) : undefined;
    if (text === undefined)
      return refuse(line, 'error', `Cannot read "${option} ${value}": there is no such file in the model`);
    const read = await readIncludes(folder, parseRequirements(text, file), depth + 1);
    if (/^(-r|--requirement)$/.test(option)) return read;
    const constraints = [...read.requirements, ...read.constraints];
    const sourced = constraints.filter((c) => c.source !== undefined).map(refuseConstraint);
    return { requirements: [], constraints, problems: [...read.problems, ...sourced] };
  }
  if (/^(-e|--editable)$/.test(option))
    return refuse(
      line,
      'error',
      `Cannot install "${option} ${maskSecrets(value)}": it is a folder on the author's machine, expected a wheel`,
    );
  if (hasCredentials(value))
    return refuse(
      line,
      'error',
      `Cannot use "${option} ${maskSecrets(value)}": it contains credentials, expected none in a model`,
      'Rotate them, because everyone who can read the model has them. Set UV_INDEX where Davit runs, and log the model again',
    );
  const index = /^(-i|--index-url|--extra-index-url|-f|--find-links|--trusted-host)$/.test(option);
  const hint = index ? 'If packages come from there, set UV_INDEX where Davit runs' : undefined;
  return refuse(
    line,
    'warning',
    `Ignoring "${`${option} ${value}`.trim()}": a model cannot choose where packages come from`,
    hint,
  );
}

/** uv would take the package from there: clone a repository, for example. */
function refuseConstraint({ text, at }: Requirement): ModelProblem {
  return {
    code: 'requirement-invalid',
    severity: 'error',
    message: `Cannot use the constraint "${maskSecrets(text)}": it is an address or a file, expected a version`,
    hint: 'Write it into requirements.txt as a requirement',
    at,
  };
}

function refuse(
  { at }: OptionLine,
  severity: ModelProblem['severity'],
  message: string,
  hint?: string,
): RequirementLists {
  return {
    requirements: [],
    constraints: [],
    problems: [{ code: 'requirement-invalid', severity, message, hint, at }],
  };
}
