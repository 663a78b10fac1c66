import { normalizePackageName } from '../../python/normalize-package-name.ts';
import type { SourceLocation } from '../../schemas/diagnostic.ts';
import type { Model } from '../model/read-model.ts';
import { joinHints, type ModelProblem, type Subject } from '../subject.ts';
import { findPipCounterpart } from './conda-names.ts';
import type { CondaTwin } from './conda-twins.ts';
import type { EditedRequirements } from './edit-requirements.ts';
import { parseCondaName } from './parse-conda-name.ts';

/** An exported environment has hundreds of packages. From this number on, those with the same end are reported together. */
const MANY = 9;
const SHOWN = 5;

/**
 * Reports the conda packages of a model that no requirement covers, each on its line of conda.yaml, or many of them
 * together.
 */
export function checkConda(
  subject: Subject,
  model: Pick<Model, 'conda' | 'locateConda'>,
  { requirements, twins }: Pick<EditedRequirements, 'requirements' | 'twins'>,
): readonly ModelProblem[] {
  const removed = subject.entity.requirementEdits.remove.map(normalizePackageName);
  const covered = new Set([...requirements.map((r) => r.name), ...removed]);
  const replacing = new Map(twins.map((t) => [t.spec, t]));
  const found = (model.conda?.packages ?? []).flatMap((spec, i): readonly CondaFinding[] => {
    const twin = replacing.get(spec);
    if (twin === undefined && listNames(spec).some((name) => covered.has(name))) return [];
    const at = model.locateConda(['dependencies', model.conda?.indices[i] ?? 0]);
    return [{ spec, twin, end: findEnd(spec, twin), problem: describePackage(subject, spec, { twin, at }) }];
  });
  const groups = [...Map.groupBy(found, ({ end }) => end)];
  return groups.flatMap(([end, all]) =>
    end === undefined || all.length < MANY ? all.map(({ problem }) => problem) : joinProblems(subject, end, all),
  );
}

/** What becomes of a package. Undefined: its report says something that is about no other package. */
type CondaEnd = 'pip' | 'left out' | 'unknown' | undefined;

interface CondaFinding {
  readonly spec: string;
  readonly twin: CondaTwin | undefined;
  readonly end: CondaEnd;
  readonly problem: ModelProblem;
}

function findEnd(spec: string, twin: CondaTwin | undefined): CondaEnd {
  if (twin !== undefined) return twin.saved === undefined ? 'pip' : undefined;
  const pip = findPipCounterpart(spec);
  if ('none' in pip) return pip.isNeeded || pip.ifImported !== undefined ? undefined : 'left out';
  return 'unknown';
}

/** One problem for many packages. What has to be written is named in full. */
function joinProblems(subject: Subject, end: Exclude<CondaEnd, undefined>, all: readonly CondaFinding[]): ModelProblem {
  const { label, entity, endpoint, alone } = subject;
  const code = 'conda-only-package';
  const at = all[0]?.problem.at ?? { file: 'conda.yaml', line: 1, column: 1 };
  const shown = (texts: readonly string[]) => `${texts.slice(0, SHOWN).join(', ')} and ${texts.length - SHOWN} more`;
  const specs = all.map(({ spec }) => spec);
  if (end === 'pip') {
    const message = `Found ${all.length} packages in conda.yaml of ${label} that are installed with pip: ${shown(all.map(({ twin }) => twin?.requirement.text ?? ''))}`;
    return { code, severity: 'warning', message, at };
  }
  if (end === 'left out') {
    const message = `Found ${all.length} packages in conda.yaml of ${label} that are not installed, because only conda, builds, other systems or libraries inside of wheels use them: ${shown(specs)}`;
    return { code, severity: 'warning', message, at };
  }
  const names = specs.map(parseCondaName).join(', ');
  return {
    code,
    severity: 'error',
    message: `Cannot install ${all.length} packages for ${label}: they come from conda, expected packages that pip can install: ${shown(specs)}`,
    hint: alone
      ? `Move those that the model imports to the pip section of conda.yaml under their names in pip, and remove the others: ${names}`
      : `Add those that the model imports to davit.served_entities.${entity.name}.requirements.add in ${endpoint.file} under their names in pip, and the others to requirements.remove: [${names}]`,
    at,
  };
}

function describePackage(
  { label, entity, alone }: Subject,
  spec: string,
  { twin, at }: { readonly twin: CondaTwin | undefined; readonly at: SourceLocation },
): ModelProblem {
  const code = 'conda-only-package';
  const found = `Found "${spec}" in conda.yaml of ${label}`;
  if (twin !== undefined) return { code, severity: 'warning', message: `${found}: ${describeTwin(twin)}`, at };
  const pip = findPipCounterpart(spec);
  if ('none' in pip && !pip.isNeeded) {
    const message = `${found}: it is not installed, because ${pip.none}`;
    const hint = describeImported(pip.ifImported, { entity, alone });
    return { code, severity: 'warning', message, ...(hint !== undefined && { hint }), at };
  }
  const without = `Cannot install "${spec}" for ${label}: it comes from conda`;
  const leaveOut = alone
    ? 'Remove it from conda.yaml'
    : `Add "${parseCondaName(spec)}" to davit.served_entities.${entity.name}.requirements.remove`;
  if ('none' in pip) {
    const image =
      pip.debian === undefined
        ? undefined
        : `If it calls it, serve it from a base image that has the Debian package ${pip.debian}, and do the same`;
    const message = `${without}, and pip has no counterpart: ${pip.none}`;
    return {
      code,
      severity: 'error',
      message,
      hint: joinHints(`${leaveOut} if predictions do not call it`, image),
      at,
    };
  }
  return {
    code,
    severity: 'error',
    message: `${without}, expected packages that pip can install`,
    hint: joinHints(
      alone ? undefined : `${leaveOut} if the model runs without it`,
      pip.certain ? undefined : 'Davit does not know its name in pip: look it up in your index',
    ),
    add: pip.pip,
    at,
  };
}

function describeTwin({ requirement: { text }, saved }: CondaTwin): string {
  return saved === undefined
    ? `it is installed with pip, as "${text}"`
    : `the model was saved with ${saved}, so "${text}" is installed with pip`;
}

/** The hint for a name that a Python package may have. */
function describeImported(
  requirement: string | undefined,
  { entity, alone }: Pick<Subject, 'entity' | 'alone'>,
): string | undefined {
  if (requirement === undefined) return undefined;
  const add = alone
    ? `add "${requirement}" to its pip requirements`
    : `add "${requirement}" to davit.served_entities.${entity.name}.requirements.add`;
  return `If the model imports it as a Python package, ${add}`;
}

/** The names of a conda package in conda and in pip. */
function listNames(spec: string): readonly string[] {
  const pip = findPipCounterpart(spec);
  return [parseCondaName(spec), ...('none' in pip ? [] : [parseCondaName(pip.pip)])];
}
