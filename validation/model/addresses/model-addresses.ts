import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readText } from '../../../schemas/read-project.ts';
import { contentHash } from '../../../schemas/values/names.ts';
import { writeFileAtomically } from '../../../system/atomic-files.ts';
import { cacheFolder, markUsed } from '../../../system/cache.ts';
import { locateDownload } from '../../../system/locate-model.ts';
import { parseJson } from '../../../schemas/values/parse-json.ts';

/** An address that always names the same model: a URI, and what decides which server it is on. */
export interface ModelAddress {
  readonly uri: string;
  /** As listServerSettings() lists them. */
  readonly settings: readonly string[];
}

const note = z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) });

/** The name of an address in the cache. */
export function makeAddressKey(address: ModelAddress): string {
  return contentHash(address).slice(0, 20);
}

/** The folder of the model that was downloaded from an address, if the cache still has it. */
export async function findDownload(key: string): Promise<string | undefined> {
  const file = locateAddress(key);
  const digest = parseJson(await readText(file), note)?.digest;
  if (digest === undefined) return undefined;
  await markUsed(file);
  return findDownloadByDigest(digest);
}

/** The folder of a downloaded model with this content, if the cache has it. */
export async function findDownloadByDigest(digest: string): Promise<string | undefined> {
  const folder = locateDownload(digest);
  if (!(await stat(join(folder, 'MLmodel')).catch(() => undefined))) return undefined;
  await markUsed(folder);
  return folder;
}

/** Notes which content an address has. */
export async function noteDownload(key: string, digest: string): Promise<void> {
  await writeFileAtomically(locateAddress(key), `${JSON.stringify({ digest })}\n`);
}

function locateAddress(key: string): string {
  return cacheFolder('addresses', `${key}.json`);
}
