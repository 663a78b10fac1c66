import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Diagnostic } from '../../../schemas/diagnostic.ts';
import { cacheFolder } from '../../../system/cache.ts';
import { locateDownload } from '../../../system/locate-model.ts';
import { type FileLockOptions, withFileLock } from '../../../system/locks/file-lock.ts';
import { digestModel } from '../../../system/model-digest.ts';
import type { FetchedModel, FetchOptions } from '../fetched-model.ts';
import {
  findDownload,
  findDownloadByDigest,
  makeAddressKey,
  type ModelAddress,
  noteDownload,
} from '../addresses/model-addresses.ts';

/**
 * Downloads files below `partial`, a folder that keeps those of an interrupted download, and returns the model's folder
 * there, or why there is none.
 */
export type Download = (partial: string) => Promise<{ readonly model: string } | { readonly refused: Diagnostic }>;

/** Returns the model of an address from the cache, or downloads it there. Only one process downloads it at a time. */
export async function downloadOnce(
  address: ModelAddress,
  download: Download,
  options: FetchOptions,
): Promise<FetchedModel> {
  const key = makeAddressKey(address);
  const find = async () => (await findReviewed(options)) ?? findDownload(key);
  const there = await find();
  if (there !== undefined) return { folder: there, diagnostics: [] };
  const partial = cacheFolder('downloads', key);
  await mkdir(dirname(partial), { recursive: true });
  return withFileLock(
    `${partial}.lock`,
    async () => {
      const again = await find();
      return again === undefined ? runToEnd(download, { partial, key, options }) : { folder: again, diagnostics: [] };
    },
    { ...options, what: 'downloading the same model' },
  );
}

/** What was reviewed is known by its content, so no server is needed to deploy it. */
async function findReviewed({ aliases, locked }: FetchOptions): Promise<string | undefined> {
  return aliases === 'locked' && locked ? findDownloadByDigest(locked.digest) : undefined;
}

interface Destination {
  readonly partial: string;
  readonly key: string;
  readonly options: FetchOptions;
}

async function runToEnd(download: Download, { partial, key, options }: Destination): Promise<FetchedModel> {
  await mkdir(partial, { recursive: true });
  const downloaded = await download(partial);
  if ('refused' in downloaded) return { folder: undefined, diagnostics: [downloaded.refused] };
  const digest = await digestModel(downloaded.model);
  await keepDownload(downloaded.model, digest, options);
  await rm(partial, { recursive: true, force: true });
  await noteDownload(key, digest);
  return { folder: locateDownload(digest), diagnostics: [] };
}

/**
 * Moves a downloaded model to the folder of its content, unless the cache has it. Another address may give the same
 * content at the same time, so the lock is that of the content: a folder that is in use is never removed.
 */
export async function keepDownload(model: string, digest: string, options: FileLockOptions): Promise<void> {
  const folder = locateDownload(digest);
  const keep = async () => {
    if ((await findDownloadByDigest(digest)) !== undefined) return;
    await mkdir(dirname(folder), { recursive: true });
    await rm(folder, { recursive: true, force: true });
    await rename(model, folder);
  };
  const { progress, signal } = options;
  await withFileLock(`${folder}.lock`, keep, { what: 'keeping the same model', ...(progress && { progress }), signal });
}
