import { ImageContentError } from '../../../images/pull/image-content-error.ts';
import { NotInRegistryError } from '../../../images/pull/open-repository.ts';
import { pullModel } from '../../../images/pull/pull-model.ts';
import { RegistryDeniedError } from '../../../images/send-request.ts';
import { parseImageUri, renderFixedImage } from '../../../schemas/endpoint/image-uri.ts';
import { SILENT, withProgress } from '../../../system/progress.ts';
import type { Subject } from '../../subject.ts';
import type { FetchedModel, FetchOptions } from '../fetched-model.ts';
import type { Refusal } from '../model-sources.ts';
import { makeDownloadError, WITHHELD } from '../refuse-download.ts';
import { renderAmount } from '../run-download.ts';
import { downloadOnce } from './download-once.ts';
import { resolveTag } from './resolve-tag.ts';

const PROGRESS_MILLISECONDS = 2000;

/** Downloads the model of an image or artifact in a container registry, with the credentials of `docker login`. */
export async function downloadImage(subject: Subject, uri: string, options: FetchOptions): Promise<FetchedModel> {
  const image = parseImageUri(uri);
  if (!image) throw new Error(`Cannot download "${uri}": expected a URI that was checked`);
  try {
    const found = await resolveTag(subject, { uri, image }, options);
    if (found.digest === undefined) return { folder: undefined, diagnostics: [found.refused] };
    const fixed = { ...image, version: found.digest };
    const download = async (partial: string) => ({ model: await pull(subject, { fixed, folder: partial }, options) });
    const address = { uri: renderFixedImage(image, found.digest), settings: [] };
    const fetched = await downloadOnce(address, download, options);
    return { ...fetched, ...(found.resolved && { resolved: found.resolved }) };
  } catch (e) {
    const failure = explainOrThrow(e, image.registry, options);
    return { folder: undefined, diagnostics: [makeDownloadError(subject, failure, uri)] };
  }
}

type FixedImage = Parameters<typeof pullModel>[0];

function pull(
  { label }: Subject,
  { fixed, folder }: { readonly fixed: FixedImage; readonly folder: string },
  { progress = SILENT, signal }: FetchOptions,
): Promise<string> {
  let said = 0;
  const onProgress = (done: number, total: number) => {
    const now = performance.now();
    if (now - said < PROGRESS_MILLISECONDS && done < total) return;
    said = now;
    progress.say(renderAmount(label, done, total));
  };
  const what = `Downloading ${label} (oci://${fixed.registry}/${fixed.name})`;
  return withProgress(progress, what, () => pullModel(fixed, { folder, onProgress, signal }));
}

/** A registry that is not reachable, or answers wrongly, is an outage and stays an error. */
function explainOrThrow(error: unknown, registry: string, { withheld = false }: FetchOptions): Refusal {
  if (error instanceof RegistryDeniedError)
    return withheld
      ? WITHHELD
      : {
          why: 'access was denied',
          hint: `Run docker login ${registry} with an account that may read it; in a workflow, set the input "container-registry" and its secrets. Some registries also say this about an image that does not exist`, // prettier-ignore
        };
  if (error instanceof NotInRegistryError)
    return {
      why: `${registry} does not have the image, or a part of it`,
      hint: 'Check the name and the digest, and push the image again',
    };
  if (error instanceof ImageContentError)
    return {
      why: error.message,
      hint: 'Put the model below /models of the image, or push its files with oras push',
    };
  throw error;
}
