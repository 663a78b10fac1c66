import { isAbsolute, relative } from 'node:path';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { parseEndpoint } from '../../schemas/endpoint/parse-endpoint.ts';
import { type LockedEntity, parseLock } from '../../schemas/lock/lock.ts';
import { declarationsRoot, lockFile } from '../../schemas/read-project.ts';
import { contentHash } from '../../schemas/values/names.ts';
import { makeFolderAtomically } from '../../system/atomic-files.ts';
import { cacheFolder, markUsed } from '../../system/cache.ts';
import { extractGitFolder } from '../../system/git/extract-git-folder.ts';
import { findInCommit } from '../../system/git/git-files.ts';
import { locateModel } from '../../system/locate-model.ts';
import { withFileLock } from '../../system/locks/file-lock.ts';
import { digestModel } from '../../system/model-digest.ts';
import { ComparisonError } from '../../validation/comparison/comparison-error.ts';
import type { LockedEndpoint } from '../../validation/comparison/pair-entities.ts';
import type { FetchOptions } from '../../validation/model/fetched-model.ts';
import { fetchModel } from '../../validation/model/fetch-model.ts';
import type { Subject } from '../../validation/subject.ts';
import type { ProjectRequest } from '../project-request.ts';
import { type BaseFile, readBaseFile } from './read-base-file.ts';

/** What a review compares with. */
export interface BaseRequest extends BaseFile, Pick<ProjectRequest, 'progress'> {}

/** Reads an endpoint and its lock as the base has them. Undefined: one is missing. Throws a ComparisonError for a wrong file. */
export async function readBaseEndpoint(name: string, request: BaseRequest): Promise<LockedEndpoint | undefined> {
  const { place } = request;
  const file = `${place.endpoints}/${name}.yaml`;
  const [text, locked] = await Promise.all(
    [file, lockFile(place, name)].map((path) => readBaseFile(path, request, 'to compare with it')),
  );
  if (text === undefined || locked === undefined) return undefined;
  const { endpoint, diagnostics } = parseEndpoint(text, file);
  const { lock, diagnostics: wrong } = parseLock(locked, lockFile(place, name));
  if (endpoint && lock) return { endpoint, lock };
  const [first] = [...diagnostics, ...wrong].filter((d) => d.severity === 'error');
  throw new ComparisonError(
    `${first?.file ?? file} on the base branch is wrong: ${first?.message ?? 'it cannot be read'}`,
  );
}

/**
 * Finds the folder of the model that the base's lock names: the checkout's if it did not change, the cached download, or
 * the files of the commit, which the cache keeps. Throws an error that says why there is none.
 */
export async function findBaseModel(
  subject: Subject,
  locked: LockedEntity['model'],
  { place, base, signal, progress, registries, withheld }: BaseRequest & Pick<FetchOptions, 'registries' | 'withheld'>,
): Promise<string> {
  const { digest } = locked;
  const root = declarationsRoot(place);
  const options = { root, progress, signal, registries, locked, withheld, aliases: 'locked' } as const;
  const fetched = await fetchModel(subject, options);
  if (fetched.folder !== undefined && (await hasDigest(fetched.folder, digest))) return fetched.folder;
  const { folder, written } = locateModel(root, subject.entity.model);
  const path = folder === undefined ? '..' : relative(root, folder);
  const isInside = !path.startsWith('..') && !isAbsolute(path);
  const found = isInside ? await findInCommit(root, { commit: base, path, signal }) : undefined;
  if (!found) throw describeMissing(fetched.diagnostics[0], written);
  const kept = cacheFolder('models', contentHash({ digest }).slice(0, 20));
  const extract = async () => {
    if (await hasDigest(kept, digest)) return; // another endpoint has the same model
    await makeFolderAtomically(kept, (target) =>
      extractGitFolder(root, { commit: base, path: found.path, signal }, target),
    );
  };
  if (!(await hasDigest(kept, digest)))
    await withFileLock(`${kept}.lock`, extract, { what: 'reading the same model', progress, signal });
  await markUsed(kept);
  if (await hasDigest(kept, digest)) return kept;
  throw new ComparisonError(`${path} of the commit ${base.slice(0, 12)} has other files than those in the lock`);
}

/** A run without credentials has found no fault. */
function describeMissing(found: Diagnostic | undefined, written: string): Error {
  const message = found?.message ?? `${written} has other files than those in the lock`;
  return found?.code === 'credentials-withheld' ? new Error(message) : new ComparisonError(message);
}

async function hasDigest(folder: string, digest: string): Promise<boolean> {
  return (await digestModel(folder).catch(() => undefined)) === digest;
}
