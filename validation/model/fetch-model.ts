import { readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { type Diagnostic, makeError } from '../../schemas/diagnostic.ts';
import { renderRegisteredVersion } from '../../schemas/endpoint/model-reference.ts';
import { isBelow } from '../../system/is-below.ts';
import { locateModel } from '../../system/locate-model.ts';
import { isCatalogName } from './choose-registry.ts';
import { downloadModel, findRegistry } from './download-model.ts';
import type { Subject } from '../subject.ts';
import type { FetchedModel, FetchOptions } from './fetched-model.ts';

/** Returns a local model directory unchanged, or downloads the model into the cache once. */
export async function fetchModel(subject: Subject, options: FetchOptions): Promise<FetchedModel> {
  const { folder, remote, written: path } = locateModel(options.root, subject.entity.model);
  if (remote !== undefined) return downloadModel(subject, remote, options);
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) {
    const { model } = subject.entity;
    if (model.uri === undefined && findRegistry(model.name, options) !== undefined)
      return downloadModel(subject, renderRegisteredVersion(model), options);
    return refuse(await reportMissingModel(subject, options.root, renderModelPath(subject, path), folder));
  }
  // An endpoint file can name a directory outside the project, because a reviewer sees that. A link would hide it.
  if (!subject.alone && isBelow(folder, resolve(options.root)) && !(await isInside(folder, options.root))) {
    const message = `Cannot use the model at "${path}": a symbolic link leads outside the project, expected a directory inside it`;
    const hint = 'Copy the model into models/, or write its real path as model_uri';
    return refuse(makeError('model-not-found', subject.entity.place, message, hint));
  }
  // The model's code can read all of its folder, and the project's has the credentials of Git, for example.
  if (!subject.alone && isBelow(`${await realpath(options.root)}${sep}`, await realpath(folder))) {
    const message = `Cannot use the model at "${path}": it contains the whole project, expected a directory of its own`;
    return refuse(makeError('model-not-found', subject.entity.place, message, 'Move its files into models/'));
  }
  return { folder: await realpath(folder), diagnostics: [] };
}

/** Messages name a standalone model as the user typed it. */
function renderModelPath({ alone, entity, label }: Subject, path: string): string {
  return alone && path === entity.model.uri ? label : path;
}

async function isInside(folder: string, root: string): Promise<boolean> {
  const [inner, outer] = await Promise.all([realpath(folder), realpath(root)]);
  return isBelow(inner, outer);
}

async function reportMissingModel(subject: Subject, root: string, path: string, folder: string): Promise<Diagnostic> {
  const { entity, label, alone } = subject;
  const message = `Cannot find the model ${label}: there is no directory ${path}`;
  if (alone)
    return makeError(
      'model-not-found',
      subject.entity.place,
      message,
      'Specify the directory that contains MLmodel, or a URI',
    );
  const near = entity.model.uri === undefined ? await listNames(resolve(folder, '..')) : [];
  const names = near.length > 0 || entity.model.uri !== undefined ? [] : await listNames(join(root, 'models'));
  const there = [...near.map((v) => `${entity.model.name} ${v}`), ...names];
  const known = there.length > 0 ? `Existing models: ${there.join(', ')}. ` : '';
  const registry = isCatalogName(entity.model.name)
    ? 'set DATABRICKS_HOST and DATABRICKS_TOKEN to read it from Unity Catalog'
    : 'set MLFLOW_TRACKING_URI to the registry that has it';
  const hint = `${known}Put the model there, ${registry}, or davit.served_entities.${entity.name}.model_uri to its location`;
  return makeError('model-not-found', subject.entity.place, message, hint);
}

async function listNames(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((e) => e.isDirectory())
    .map((e) => e.name)
    .sort();
}

function refuse(diagnostic: Diagnostic): FetchedModel {
  return { folder: undefined, diagnostics: [diagnostic] };
}
