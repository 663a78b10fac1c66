import { access } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { isWebWheel } from '../../schemas/lock/locked-values.ts';
import { findPipCounterpart } from './conda-names.ts';
import type { EditedRequirements } from './edit-requirements.ts';
import { parseCondaName } from './parse-conda-name.ts';
import type { Requirement } from './parse-requirements.ts';
import type { Model } from '../model/read-model.ts';
import { hasCredentials, maskSecrets } from '../model/mask-secrets.ts';
import { applyPolicy, type ResolvedPolicy } from '../policy.ts';
import { joinHints, type ModelProblem, type Subject } from '../subject.ts';

const OTHER_PLATFORMS = /^(pywin32|pypiwin32|pywinpty|windows-curses|wmi|pyobjc(-.*)?)$/;
const ANACONDA_CHANNELS = /^(defaults|anaconda|main|r|msys2)$|anaconda\.(com|org)/;

/** Reports requirements that a server cannot use, after the endpoint's edits. */
export async function checkRequirements(
  subject: Subject,
  model: Model,
  { requirements, twins }: Pick<EditedRequirements, 'requirements' | 'twins'>,
  policy: ResolvedPolicy,
): Promise<readonly ModelProblem[]> {
  const sources = requirements.map((r) => checkSource(subject, model, r));
  return [
    ...requirements.flatMap((r) => checkRequirement(subject, r, policy)),
    ...(await Promise.all(sources)).flat(),
    ...checkConda(subject, model, { requirements, twins }),
    ...checkChannels(subject, model, policy),
  ];
}

function checkRequirement({ label }: Subject, r: Requirement, policy: ResolvedPolicy): readonly ModelProblem[] {
  if (r.source !== undefined) return [];
  const { at, name } = r;
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
        hint: 'Without one, only the lock determines the version',
        at,
      }),
    );
  return found;
}

/** `==1.5.2.*`, which is how conda pins a version. */
function isPatchPrefix({ specifier }: Requirement): boolean {
  return /^==\d+\.\d+\.\d+\.\*$/.test(specifier);
}

/** A direct reference must be a wheel, as a URL or as a file inside the model. */
async function checkSource({ label }: Subject, model: Model, r: Requirement): Promise<readonly ModelProblem[]> {
  const { source, at, name } = r;
  if (source === undefined) return [];
  const refuse = (why: string, hint?: string): readonly ModelProblem[] => [
    {
      code: 'requirement-invalid',
      severity: 'error',
      message: `Cannot install "${maskSecrets(r.text)}" for ${label}: ${why}`,
      hint,
      remove: name,
      at,
    },
  ];
  const wheel = 'Build a wheel of it and log the model with that file in code_paths';
  if (hasCredentials(source))
    return refuse(
      'it contains credentials, expected none in a model',
      'Rotate them, because everyone who can read the model has them',
    );
  if (/^(git|hg|svn|bzr)\+/.test(source)) return refuse('it is a repository, expected a wheel', wheel);
  if (/^http:/.test(source)) return refuse('anybody on the way can change it, expected an address with https', wheel);
  if (/^https:/.test(source)) return isWebWheel(source) ? [] : refuse('it is not a wheel, expected one (.whl)', wheel);
  if (/^[a-z][a-z0-9+.-]*:/i.test(source))
    return refuse('it is not on this machine, expected a wheel in the model', wheel);
  if (!source.endsWith('.whl')) return refuse('it is not a wheel, expected one (.whl)', wheel); // uv would read its project
  const root = resolve(model.folder);
  const file = resolve(root, source);
  const inside = file.startsWith(root + sep);
  const there =
    inside &&
    (await access(file).then(
      () => true,
      () => false,
    ));
  return there
    ? []
    : refuse(
        inside ? 'there is no such file in the model' : 'it is outside the model, expected a file inside it',
        wheel,
      );
}

function checkConda(
  { label, entity, alone }: Subject,
  { conda }: Model,
  { requirements, twins }: Pick<EditedRequirements, 'requirements' | 'twins'>,
): readonly ModelProblem[] {
  if (!conda) return [];
  const at = { file: 'conda.yaml', line: 1, column: 1 };
  const covered = new Set([...requirements.map((r) => r.name), ...entity.requirementEdits.remove]);
  const replacing = new Set(twins.map((t) => t.spec));
  const only = conda.packages.filter((p) => replacing.has(p) || !listNames(p).some((name) => covered.has(name)));
  return only.map((p): ModelProblem => {
    const pip = findPipCounterpart(p);
    const twin = twins.find((t) => t.spec === p);
    if (twin) {
      const message = `Found "${p}" in conda.yaml of ${label}: it is installed with pip, as "${twin.requirement.text}"`;
      return { code: 'conda-only-package', severity: 'warning', message, at };
    }
    const without = `Cannot install "${p}" for ${label}: it comes from conda`;
    const leaveOut = alone
      ? 'Remove it from conda.yaml'
      : `Add "${parseCondaName(p)}" to davit.served_entities.${entity.name}.requirements.remove`;
    if ('none' in pip && !pip.isNeeded) {
      const message = `Found "${p}" in conda.yaml of ${label}: it is not installed, because ${pip.none}`;
      return { code: 'conda-only-package', severity: 'warning', message, at };
    }
    if ('none' in pip)
      return {
        code: 'conda-only-package',
        severity: 'error',
        message: `${without}, and pip has no counterpart`,
        hint: `${leaveOut}: ${pip.none}`,
        at,
      };
    return {
      code: 'conda-only-package',
      severity: 'error',
      message: `${without}, expected packages that pip can install`,
      hint: joinHints(
        alone ? undefined : `${leaveOut} if the model runs without it`,
        pip.certain ? undefined : 'Davit does not know its name in pip: look it up in your index',
      ),
      add: pip.pip,
      at,
    };
  });
}

/** The names of a conda package in conda and in pip. */
function listNames(spec: string): readonly string[] {
  const pip = findPipCounterpart(spec);
  return [parseCondaName(spec), ...('none' in pip ? [] : [parseCondaName(pip.pip)])];
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
