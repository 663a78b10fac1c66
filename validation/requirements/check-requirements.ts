import { checkConda } from './check-conda.ts';
import { checkSource, makeFileFinder } from './check-source.ts';
import type { EditedRequirements } from './edit-requirements.ts';
import { parseRequirement, type Requirement } from './parse-requirements.ts';
import type { LineFault } from './explain-line.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { maskSecrets } from '../../schemas/values/mask-secrets.ts';
import type { Model } from '../model/read-model.ts';
import { applyPolicy, type ResolvedPolicy } from '../policy.ts';
import type { ModelProblem, Subject } from '../subject.ts';
import { suggestPipName } from './pip-names.ts';

const OTHER_PLATFORMS = /^(pywin32|pypiwin32|pywinpty|windows-curses|wmi|pyobjc(-.*)?)$/;
const ANACONDA_CHANNELS = /^(defaults|anaconda|main|r|msys2)$|anaconda\.(com|org)/;

/** Reports requirements that a server cannot use, after the endpoint's edits. */
export async function checkRequirements(
  subject: Subject,
  model: Model,
  { requirements, twins }: Pick<EditedRequirements, 'requirements' | 'twins'>,
  { policy, packages = [] }: RequirementRules,
): Promise<readonly ModelProblem[]> {
  const others = new Set(requirements.map((r) => r.name));
  const files = { folder: model.folder, findFile: makeFileFinder(model.folder) };
  const sources = requirements.map((r) => checkSource(subject, files, r));
  return [
    ...requirements.flatMap((r) => checkRequirement(subject, r, { policy, packages, others })),
    ...(await Promise.all(sources)).flat(),
    ...checkConda(subject, model, { requirements, twins }),
    ...checkChannels(subject, model, policy),
  ];
}

export interface RequirementRules {
  readonly policy: ResolvedPolicy;
  /** The packages of the lock, if there is one. */
  readonly packages?: readonly LockedPackage[] | undefined;
}

interface CheckContext extends Required<RequirementRules> {
  /** The names of all requirements. */
  readonly others: ReadonlySet<string>;
}

function checkRequirement(
  { label }: Subject,
  r: Requirement,
  { policy, packages, others }: CheckContext,
): readonly ModelProblem[] {
  const { at, name, fault } = r;
  const wrong = fault ?? suggestPipName(r, others);
  if (wrong) return [refuse(label, r, wrong)];
  if (r.source !== undefined) return [];
  const found: ModelProblem[] = [];
  if (OTHER_PLATFORMS.test(name) && r.marker === undefined)
    found.push({
      code: 'requirement-platform',
      severity: 'error',
      message: `Cannot serve ${label} with "${r.text}": it is not for Linux, expected a package for Linux`,
      remove: name,
      at,
    });
  const [version, local] = r.pin?.split('+') ?? [];
  if (local !== undefined && version !== undefined)
    found.push({
      code: 'requirement-platform',
      severity: 'warning',
      message: `Found "${r.text}" in the requirements of ${label}: only a special index has the build "+${local}"`,
      add: `${name}==${version}`,
      at,
    });
  if (r.pin === undefined && !isPatchPrefix(r))
    found.push(
      ...applyPolicy(policy.unpinnedRequirement, {
        code: 'requirement-unpinned',
        message: `Found "${r.text}" in the requirements of ${label}: expected the exact version that the model was trained with`,
        ...(policy.unpinnedRequirement === 'error'
          ? explainPin(r, packages)
          : { hint: 'Without one, only the lock determines the version' }),
        at,
      }),
    );
  return found;
}

/** The requirement with the version of the lock, which is what has been proved. */
function explainPin(
  { name, text, marker }: Requirement,
  packages: CheckContext['packages'],
): Pick<ModelProblem, 'add' | 'hint'> {
  const version = packages?.find((p) => p.name === name)?.version;
  const head = /^[A-Za-z0-9._-]+(?:\[[^\]]*\])?/.exec(text)?.[0] ?? name;
  const add = `${head}==${version ?? 'VERSION'}${marker === undefined ? '' : ` ; ${marker}`}`;
  return { add, hint: version === undefined ? 'VERSION is the one that the model was trained with' : undefined };
}

function refuse(label: string, { written, name, at }: Requirement, { why, hint, instead }: LineFault): ModelProblem {
  const message = `Cannot install "${maskSecrets(written)}" for ${label}: ${why}`;
  const isReplaced = instead !== undefined && parseRequirement(instead, at)?.name === name;
  return {
    code: 'requirement-invalid',
    severity: 'error',
    message,
    hint,
    at,
    ...(instead !== undefined && { add: instead }),
    ...(!isReplaced && { remove: name }),
  };
}

/** `==1.5.2.*`, which is how conda pins a version. */
function isPatchPrefix({ specifier }: Requirement): boolean {
  return /^==\d+\.\d+\.\d+\.\*$/.test(specifier);
}

function checkChannels({ label }: Subject, { conda }: Model, policy: ResolvedPolicy): readonly ModelProblem[] {
  const channel = conda?.channels?.find((c) => ANACONDA_CHANNELS.test(c));
  if (channel === undefined) return [];
  return applyPolicy(policy.defaultsChannel, {
    code: 'anaconda-channel',
    message: `Found the conda channel "${channel}" in ${label}: Anaconda may ask for a commercial licence`,
    hint: 'Davit does not use it; log the model with a newer MLflow to remove it',
    at: { file: 'conda.yaml', line: 1, column: 1 },
  });
}
