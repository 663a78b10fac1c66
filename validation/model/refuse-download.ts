import { type Diagnostic, makeError } from '../../schemas/diagnostic.ts';
import type { Subject } from '../subject.ts';
import type { DownloadFailure } from './explain-download.ts';
import { maskSecrets } from '../../schemas/values/mask-secrets.ts';
import type { Refusal } from './model-sources.ts';

/** For a run to which GitHub gives no credentials. */
export const WITHHELD_HINT =
  'A maintainer pushes the same commit to a branch of this repository and opens a pull request from it, whose run has the credentials';

/** Said of the run and not of the model, because the author can change nothing about it. */
export const WITHHELD: DownloadFailure = {
  code: 'credentials-withheld',
  about: 'entity',
  why: 'the run of a pull request from a fork, or of Dependabot, gets no credentials from GitHub',
  hint: WITHHELD_HINT,
};

/** Makes the diagnostic of a model that cannot be fetched, on the field that names what is wrong. */
export function makeDownloadError(
  { entity, label }: Subject,
  { why, hint, code = 'model-not-found', about = 'entity' }: Refusal & Partial<DownloadFailure>,
  uri: string,
): Diagnostic {
  const place = about === 'entity' ? entity.place : (entity.modelPlaces?.[about] ?? entity.place);
  const from = entity.model.uri === undefined ? '' : ` from "${maskSecrets(uri)}"`;
  return makeError(code, place, `Cannot fetch ${label}${from}: ${maskSecrets(why)}`, hint);
}
