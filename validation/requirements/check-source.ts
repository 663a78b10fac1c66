import { access, readdir } from 'node:fs/promises';
import { basename, relative, resolve } from 'node:path';
import { isWebWheel } from '../../schemas/lock/locked-values.ts';
import { hasCredentials, maskSecrets } from '../../schemas/values/mask-secrets.ts';
import type { Model } from '../model/read-model.ts';
import { isBelow } from '../../system/is-below.ts';
import { isModelFile } from '../../system/model-digest.ts';
import { quoteShell } from '../../schemas/values/quote-shell.ts';
import type { ModelProblem, Subject } from '../subject.ts';
import { checkRepository } from './building/check-repository.ts';
import { isRepository, isSourceArchive, parseFileVersion } from './parse-reference.ts';
import type { Requirement } from './parse-requirements.ts';

/** What is wrong with a source, and the repair. */
interface SourceFault {
  readonly why: string;
  readonly hint?: string | undefined;
  /** The requirement to write instead. Undefined: the hint is to remove it. */
  readonly add?: string | undefined;
}

/** Folders of conda's own builds, which `pip freeze` writes in a conda environment. */
const CONDA_BUILD = /\/(?:croot|feedstock_root|conda-bld)\/|\/tmp\/build\/[0-9a-f]+\/|\/work(?:\/dist\/[^/]*)?$/;
const DATABRICKS = /^(?:dbfs:|(?:file:)?\/+(?:dbfs|Workspace|Volumes|databricks)\/)/i;
const SEARCHED_DEPTH = 4;

/** Returns the path, inside a model, of a file with this name. */
type FindFile = (name: string) => Promise<string | undefined>;

/** A direct reference must be a wheel, as a URL or as a file inside the model, or a commit that may be built. */
export async function checkSource(
  subject: Subject,
  model: Pick<Model, 'folder'> & { readonly findFile: FindFile },
  { source, written, name, at, fault: lineFault }: Requirement,
): Promise<readonly ModelProblem[]> {
  if (source === undefined || lineFault) return [];
  const fault = isFile(source) ? await checkFile(model, name, source) : checkAddress(subject, name, source);
  if (!fault) return [];
  return [
    {
      code: 'requirement-invalid',
      severity: 'error',
      message: `Cannot install "${maskSecrets(written)}" for ${subject.label}: ${fault.why}`,
      hint: fault.hint,
      ...(fault.add === undefined ? { remove: name } : { add: fault.add }),
      at,
    },
  ];
}

function isFile(source: string): boolean {
  return !isRepository(source) && !/^[a-z][a-z0-9+.-]*:/i.test(source);
}

function isWheel(source: string): boolean {
  return source.toLowerCase().endsWith('.whl');
}

function checkAddress(subject: Subject, name: string, source: string): SourceFault | undefined {
  if (hasCredentials(source))
    return {
      why: 'it contains credentials, expected none in a model',
      hint: 'Rotate them, because everyone who can read the model has them',
    };
  if (isRepository(source)) return checkRepository(subject, { name, source }, renderBuildHint(source));
  if (/^http:/i.test(source))
    return {
      why: 'others on the network can change it, expected an address with https',
      hint: renderBuildHint(undefined),
    };
  if (/^https:/i.test(source))
    return isWebWheel(source)
      ? undefined
      : { why: 'it is not a wheel, expected one (.whl)', hint: renderBuildHint(source) };
  return explainForeignPath(name, source);
}

const OR_REMOVE = 'Or leave it out if predictions do not need it';

/** The command that builds the wheel where the model is trained. */
function renderBuildHint(source: string | undefined): string {
  const what = source !== undefined && isFile(source) && !/^[~/.]/.test(source) ? `./${source}` : source;
  const build =
    what === undefined ? 'Build a wheel of it' : `Build a wheel of it: pip wheel --no-deps ${quoteShell(what)}`;
  return `${build}. Log the model with that file in code_paths and the requirement code/FILE.whl. ${OR_REMOVE}`;
}

/** A path of another machine. Its file name can tell the version. */
function explainForeignPath(name: string, source: string): SourceFault {
  const version = parseFileVersion(source);
  if (CONDA_BUILD.test(source))
    return {
      why: 'conda wrote where it was built, which is not on this machine, expected NAME==VERSION',
      ...(version === undefined
        ? { hint: `Write ${name}==VERSION: pip list in that environment shows its version` }
        : { add: `${name}==${version}` }),
    };
  const owner = DATABRICKS.test(source) ? 'a path of the Databricks workspace' : 'a path of the machine that logged it';
  return {
    why: `it is ${owner}, expected a wheel inside the model`,
    hint: isWheel(source) ? renderLogHint(source) : renderBuildHint(source.replace(/^file:\/*(?=\/)/, '')),
  };
}

function renderLogHint(source: string): string {
  return `Log the model with code_paths=[${JSON.stringify(source)}] and the requirement code/${source.split('/').at(-1) ?? ''}. ${OR_REMOVE}`;
}

async function checkFile(
  model: Pick<Model, 'folder'> & { readonly findFile: FindFile },
  name: string,
  source: string,
): Promise<SourceFault | undefined> {
  const root = resolve(model.folder);
  const file = resolve(root, source);
  if (/^~?\//.test(source) || !isBelow(file, root)) return explainForeignPath(name, source);
  if (!isWheel(source))
    return isSourceArchive(source)
      ? { why: 'it is a source distribution, expected a wheel (.whl)', hint: renderBuildHint(source) }
      : { why: 'it is not a wheel, expected one (.whl)', hint: renderBuildHint(source) };
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists) return undefined;
  const elsewhere = await model.findFile(source.split('/').at(-1) ?? '');
  return elsewhere === undefined
    ? { why: 'there is no such file in the model', hint: renderLogHint(source) }
    : { why: `there is no such file in the model, which has it as ${elsewhere}`, add: `${name} @ ${elsewhere}` };
}

/** Finds files of a model by their names. Lists the files once, when the first is looked for. */
export function makeFileFinder(folder: string): FindFile {
  const index = async () => {
    const files = await listFiles(resolve(folder));
    return new Map(files.toReversed().map((file) => [basename(file), file])); // the first of a name stays
  };
  let listed: Promise<ReadonlyMap<string, string>> | undefined;
  return async (name) => {
    listed ??= index();
    return (await listed).get(name);
  };
}

/** Paths relative to the model. */
async function listFiles(root: string, folder = root, depth = 0): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const lists = entries.map(async (entry): Promise<readonly string[]> => {
    const path = resolve(folder, entry.name);
    if (!isModelFile(entry.name)) return [];
    if (entry.isDirectory()) return depth < SEARCHED_DEPTH ? listFiles(root, path, depth + 1) : [];
    return entry.isFile() ? [relative(root, path)] : [];
  });
  return (await Promise.all(lists)).flat();
}
