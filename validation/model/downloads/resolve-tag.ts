import { readTaggedDigest } from '../../../images/registry.ts';
import { type Diagnostic, makeError } from '../../../schemas/diagnostic.ts';
import type { ImageUri } from '../../../schemas/endpoint/image-uri.ts';
import { SILENT, withProgress } from '../../../system/progress.ts';
import type { Subject } from '../../subject.ts';
import type { FetchOptions, ResolvedVersion } from '../fetched-model.ts';
import { makeDownloadError } from '../refuse-download.ts';
import { findResolved, renderMinute, settleVersion } from '../resolve-version.ts';

export type TagResolution =
  | { readonly digest: string; readonly resolved?: ResolvedVersion | undefined }
  | { readonly digest: undefined; readonly refused: Diagnostic };

/** Resolves the tag of an image to its digest, by the rule of the options, as resolveVersion() does for an alias. */
export async function resolveTag(
  subject: Subject,
  { uri, image }: { readonly uri: string; readonly image: ImageUri },
  options: FetchOptions,
): Promise<TagResolution> {
  if (image.digest !== undefined) return { digest: image.digest };
  const known = findResolved(options.locked, { name: subject.entity.model.name, from: uri });
  const locked = known?.version.startsWith('sha256:') ? known : undefined;
  if (locked && options.aliases === 'locked') return { digest: locked.version, resolved: locked };
  const query = () => readTaggedDigest({ ...image, version: image.tag }, { signal: options.signal });
  const what = `Resolving the tag of ${subject.label} in the registry`;
  const digest = await withProgress(options.progress ?? SILENT, what, query);
  if (digest === undefined) return { digest, refused: makeDownloadError(subject, describeMissingTag(image), uri) };
  const report = (before: ResolvedVersion) => reportMove(subject, before, { image, digest });
  const settled = settleVersion(digest, { from: uri, locked, rule: options.aliases }, report);
  return 'refused' in settled ? { digest: undefined, ...settled } : { digest, ...settled };
}

function describeMissingTag({ registry, name, tag }: ImageUri) {
  return {
    why: `${registry} has no tag "${tag ?? ''}" of ${name}, or hides it from this account`,
    hint: `Check the name and the tag, and that docker login ${registry} has an account that may read it`,
  };
}

/** The lock is stale because the tag is of another image now. */
function reportMove(
  { endpoint, entity }: Subject,
  locked: ResolvedVersion,
  { image, digest }: { readonly image: ImageUri; readonly digest: string },
): Diagnostic {
  const message = `Cannot use the lock for "${entity.name}": the tag ${image.tag ?? ''} of ${image.registry}/${image.name} moved from ${locked.version.slice(0, 19)}, resolved on ${renderMinute(locked.at)}, to ${digest.slice(0, 19)}`;
  return makeError('lock-stale', entity.place, message, `Run npx davit lock ${endpoint.name} and review the changes`);
}
