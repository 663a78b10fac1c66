import { existsSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { parseRegisteredVersion } from '../../schemas/endpoint/model-reference.ts';
import type { EndpointAnswers } from './plan-files.ts';

/** Why a model that somebody named cannot be used: an answer, not a fault of Davit. */
export class ModelAnswerError extends Error {}

/** A path or a URI → the name, the version and the location of the model. */
export function readModelAnswer(
  model: string,
  { root, cwd }: { readonly root: string; readonly cwd: string },
): EndpointAnswers['model'] {
  if (/^[a-z][a-z0-9+.-]+:/i.test(model)) return parseModelUri(model);
  const folder = resolve(cwd, model);
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new ModelAnswerError(
      `Cannot find the model ${model}: there is no such directory, expected one with MLmodel in it`,
    );
  if (!existsSync(join(folder, 'MLmodel')))
    throw new ModelAnswerError(
      `Cannot use ${model} as a model: it has no file MLmodel, expected the directory that MLflow wrote`,
    );
  const path = relative(root, folder).split(sep).join('/');
  return parseModelPath(path);
}

function parseModelUri(uri: string): EndpointAnswers['model'] {
  const [, name, version] = /^models:\/{1,3}([^/@]+)\/([^/@]+)$/.exec(uri) ?? [];
  if (name !== undefined && version !== undefined && /^\d+$/.test(version)) return { name, version, uri };
  const registered = parseRegisteredVersion(uri);
  if (registered?.version.startsWith('@') === true) return { ...registered, uri: undefined };
  if (/^models:\/{1,3}m-/.test(uri)) return { name: 'model', version: '1', uri };
  if (uri.startsWith('models:'))
    throw new ModelAnswerError(
      `Cannot use ${uri}: it can point to another version later, expected models:/NAME/VERSION with the number of a version, or models:/NAME@ALIAS`,
    );
  const [path = ''] = uri.split(/[?#]/, 1);
  const last = path.split('/').filter(Boolean).at(-1) ?? 'model';
  return { name: last.replaceAll(/[^\w-]/g, '-'), version: '1', uri };
}

/** `models/iris/2` is the default place of version 2 of iris; any other path is written as `model_uri`. */
function parseModelPath(path: string): EndpointAnswers['model'] {
  const [, name, version] = /^models\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (name !== undefined && version !== undefined) return { name, version, uri: undefined };
  const last =
    path
      .split('/')
      .filter((part) => part !== '' && part !== '..')
      .at(-1) ?? 'model';
  return { name: last.replaceAll(/[^\w-]/g, '-'), version: '1', uri: path };
}
