import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { PinnedFile } from '../../../schemas/environment/kubernetes-environment.ts';
import { writeFileAtomically } from '../../../system/atomic-files.ts';
import { cacheFolder } from '../../../system/cache.ts';
import type { ManifestFile } from './parse-manifests.ts';

const DOWNLOAD_SECONDS = 60;

/** Reads a file that was reviewed by its checksum, from the project or from its URL. Any other content is refused. */
export async function readPinnedFile({ source, sha256 }: PinnedFile, root: string): Promise<ManifestFile> {
  const text = isUrl(source) ? await readDownload({ source, sha256 }) : await readLocal(source, root);
  const found = computeChecksum(text);
  if (found === sha256) return { source, text };
  throw new Error(`Cannot use ${source}: its SHA-256 is ${found}, expected ${sha256}`);
}

async function readLocal(source: string, root: string): Promise<string> {
  try {
    return await readFile(resolve(root, source), 'utf8');
  } catch (cause) {
    throw new Error(`Cannot read ${source}: ${describeCause(cause)}, expected a file of the project or a URL`, {
      cause,
    });
  }
}

/** A downloaded file is kept under its checksum, so that a preview needs no network. */
async function readDownload({ source, sha256 }: PinnedFile): Promise<string> {
  const kept = cacheFolder('manifests', sha256);
  const known = await readFile(kept, 'utf8').catch(() => undefined);
  if (known !== undefined && computeChecksum(known) === sha256) return known;
  const text = await download(source);
  if (computeChecksum(text) !== sha256) return text; // the caller refuses it, and it is never kept
  await writeFileAtomically(kept, text);
  return text;
}

async function download(source: string): Promise<string> {
  try {
    const answer = await fetch(source, { signal: AbortSignal.timeout(DOWNLOAD_SECONDS * 1000) });
    if (answer.ok) return await answer.text();
    throw new Error(`the server answers ${answer.status}`);
  } catch (cause) {
    throw new Error(`Cannot download ${source}: ${describeCause(cause)}. Check the URL and the network`, { cause });
  }
}

function isUrl(source: string): boolean {
  return /^https?:\/\//.test(source);
}

function computeChecksum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function describeCause(cause: unknown): string {
  const { message, cause: deeper } = cause instanceof Error ? cause : { message: String(cause), cause: undefined };
  return deeper instanceof Error && message === 'fetch failed' ? deeper.message : message;
}
