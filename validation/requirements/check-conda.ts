import type { SourceLocation } from '../../schemas/diagnostic.ts';
import type { Model } from '../model/read-model.ts';
import { joinHints, type ModelProblem, type Subject } from '../subject.ts';
import { findPipCounterpart } from './conda-names.ts';
import type { CondaTwin } from './conda-twins.ts';
import type { EditedRequirements } from './edit-requirements.ts';
import { parseCondaName } from './parse-conda-name.ts';

/** Reports the conda packages of a model that no requirement covers, each on its line of conda.yaml. */
export function checkConda(
  subject: Subject,
  model: Pick<Model, 'conda' | 'locateConda'>,
  { requirements, twins }: Pick<EditedRequirements, 'requirements' | 'twins'>,
): readonly ModelProblem[] {
  const covered = new Set([...requirements.map((r) => r.name), ...subject.entity.requirementEdits.remove]);
  const replacing = new Map(twins.map((t) => [t.spec, t]));
  return (model.conda?.packages ?? []).flatMap((spec, i) => {
    const twin = replacing.get(spec);
    if (twin === undefined && listNames(spec).some((name) => covered.has(name))) return [];
    const at = model.locateConda(['dependencies', model.conda?.indices[i] ?? 0]);
    return describePackage(subject, spec, { twin, at });
  });
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
    ? `add "${requirement}" to its requirements`
    : `add "${requirement}" to davit.served_entities.${entity.name}.requirements.add`;
  return `If the model imports it as a Python package, ${add}`;
}

/** The names of a conda package in conda and in pip. */
function listNames(spec: string): readonly string[] {
  const pip = findPipCounterpart(spec);
  return [parseCondaName(spec), ...('none' in pip ? [] : [parseCondaName(pip.pip)])];
}
