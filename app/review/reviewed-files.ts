import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { declarationsRoot, lockFile, type ProjectFolders, readLockText } from '../../schemas/read-project.ts';
import type { EndpointReport } from '../../schemas/report/report.ts';

/**
 * Git's ids of the files from which the previews were made: endpoint files, locks and environments. After the merge the same
 * files lead to the same plans. A computed lock has the id that it gets when it is committed.
 */
export async function digestReviewedFiles(
  place: ProjectFolders,
  endpoints: readonly EndpointReport[],
): Promise<Readonly<Record<string, string>>> {
  const previewed = endpoints.filter(({ previews }) => previews.some((p) => p.fingerprint !== null));
  const environments = new Set(previewed.flatMap(({ previews }) => previews.map((p) => p.environment)));
  const read = (path: string) => readFile(join(declarationsRoot(place), path)).catch(() => undefined);
  const files = [
    ...previewed.map(({ endpoint }) => ({ path: `${place.endpoints}/${endpoint}.yaml` })),
    ...previewed.map(({ endpoint }) => ({ path: lockFile(place, endpoint), text: readLockText(place, endpoint) })),
    ...[...environments].sort().map((name) => ({ path: `environments/${name}.yaml` })),
  ].map(async ({ path, text }: { readonly path: string; readonly text?: Promise<string | undefined> }) => {
    const content = text === undefined ? await read(path) : await text;
    return content === undefined ? [] : [[path, makeBlobId(content)] as const];
  });
  return Object.fromEntries((await Promise.all(files)).flat());
}

/** The id that Git gives to a file of this content. */
function makeBlobId(content: string | Buffer): string {
  return createHash('sha1')
    .update(`blob ${Buffer.byteLength(content)}\0`)
    .update(content)
    .digest('hex');
}
