import { checkConda } from './check-conda.ts';
import { checkSource, makeFileFinder } from './check-source.ts';
import type { EditedRequirements } from './edit-requirements.ts';
import { parseRequirement, type Requirement } from './parse-requirements.ts';
import type { LineFault } from './explain-line.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { maskSecrets } from '../../schemas/values/mask-secrets.ts';
import { listSavedVersions } from '../model/check-version-drift.ts';
import type { Model } from '../model/read-model.ts';
import { applyPolicy, type ResolvedPolicy } from '../policy.ts';
import type { ModelProblem, Subject } from '../subject.ts';
import { suggestPipName } from './pip-names.ts';

const OTHER_PLATFORMS = /^(pywin32|pypiwin32|pywinpty|windows-curses|wmi|pyobjc(-.*)?)$/;
/** Anaconda's own channels, by name and by address. Others on anaconda.org, such as conda-forge, belong to their owners. */
const ANACONDA_CHANNEL =
  /^(?:defaults|(?:pkgs\/)?(?:anaconda|free|main|msys2|pro|r)|https?:\/\/repo\.(?:anaconda\.(?:com|cloud)|continuum\.io)(?:\/.*)?|https?:\/\/conda\.anaconda\.org\/(?:anaconda|main|msys2|r)(?:\/.*)?)$/i;

/** Reports requirements that a server cannot use, after the endpoint's edits. */
export async function checkRequirements(
  subject: Subject,
  model: Model,
  { requirements, twins }: Pick<EditedRequirements, 'requirements' | 'twins'>,
  { policy, packages = [] }: RequirementRules,
): Promise<readonly ModelProblem[]> {
  const others = new Set(requirements.map((r) => r.name));
  const saved = listSavedVersions(model);
  const files = { folder: model.folder, findFile: makeFileFinder(model.folder) };
  const sources = requirements.map((r) => checkSource(subject, files, r));
  return [
    ...requirements.flatMap((r) => checkRequirement(subject, r, { policy, packages, others, saved })),
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
  /** The versions of libraries that saved the model. */
  readonly saved: ReadonlyMap<string, string>;
}

function checkRequirement(
  { label }: Subject,
  r: Requirement,
  { policy, packages, others, saved }: CheckContext,
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
          ? explainPin(r, packages?.find((p) => p.name === name)?.version ?? saved.get(name))
          : { hint: 'Without one, only the lock determines the version' }),
        at,
      }),
    );
  return found;
}

/** The requirement with the version of the lock, which is what has been proved, else with the one that saved the model. */
function explainPin(
  { name, text, marker }: Requirement,
  version: string | undefined,
): Pick<ModelProblem, 'add' | 'hint'> {
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

function checkChannels({ label }: Subject, model: Model, policy: ResolvedPolicy): readonly ModelProblem[] {
  const { conda, locateConda, mlflowVersion = '' } = model;
  const channel = conda?.channels.find(({ name }) => ANACONDA_CHANNEL.test(name.trim()));
  if (channel === undefined && conda?.hasDefaultChannels !== true) return [];
  const found =
    channel === undefined
      ? `Found no channels in conda.yaml of ${label}: conda then takes its default ones, which most often are Anaconda's, and`
      : `Found the conda channel "${channel.name}" in ${label}:`;
  const repair = WRITES_DEFAULTS.test(mlflowVersion)
    ? 'with MLflow 1.18 or newer'
    : 'with a conda_env whose channels are [conda-forge], or without conda_env';
  return applyPolicy(policy.defaultsChannel, {
    code: 'anaconda-channel',
    message: `${found} Anaconda may ask for a commercial licence`,
    hint: `Davit installs nothing from there. To remove it, log the model ${repair}`,
    at: locateConda(channel?.path ?? ['dependencies']),
  });
}

/** MLflow before 1.18 wrote Anaconda's channel where nobody had asked for it. */
const WRITES_DEFAULTS = /^(?:0\.|1\.(?:\d|1[0-7])(?:\.|$))/;
