import type { Document } from 'yaml';
import type { LocateOffset, Preparation } from '../../yaml/parse-yaml.ts';
import type { Path } from '../../yaml/parsed-yaml.ts';
import { listFields } from '../../yaml/list-fields.ts';
import { endpointFile } from '../endpoint-file.ts';
import { findInexactNumbers } from './find-inexact-numbers.ts';
import { findMisplacedPermissions } from './find-misplaced-permissions.ts';
import { findRewrittenVersions } from './find-rewritten-versions.ts';
import { findVariables } from './find-variables.ts';
import { recognizeForeignFile } from './recognize-foreign-file.ts';
import { renameDeprecatedFields } from './rename-deprecated-fields.ts';

/** Examines an endpoint file before its schema does: what people bring along from bundles, Terraform and old clients. */
export function prepareEndpoint(document: Document, at: LocateOffset): Preparation {
  const foreign = recognizeForeignFile(document, at);
  if (foreign) return { diagnostics: [foreign], wrong: [], foreign: true };
  const renamed = renameDeprecatedFields(document, at);
  const versions = findRewrittenVersions(document, at);
  const permissions = findMisplacedPermissions(document, at);
  const variables = findVariables(
    document,
    at,
    (path) => permissions.wrong.some(([field]) => field === path[0]) || isRefused(path),
  );
  return {
    diagnostics: [
      ...renamed,
      ...versions.diagnostics,
      ...permissions.diagnostics,
      ...variables.diagnostics,
      ...findInexactNumbers(document, at),
    ],
    wrong: [...versions.wrong, ...permissions.wrong, ...variables.wrong],
  };
}

let refused: ReadonlySet<string> | undefined;

/** Whether a value is in a field of Databricks that Davit refuses. Names of environment variables are no fields. */
function isRefused(path: Path): boolean {
  refused ??= new Set(listFields(endpointFile).flatMap(({ name, honoured }) => (honoured ? [] : [name])));
  const names = refused;
  return path.slice(0, 4).some((step) => typeof step === 'string' && names.has(step));
}
