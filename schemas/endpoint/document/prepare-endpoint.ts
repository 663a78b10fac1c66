import { basename } from 'node:path';
import { type Document, isScalar } from 'yaml';
import { type Diagnostic, makeError, type SourceLocation } from '../../diagnostic.ts';
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
  if (isEmpty(document)) return { diagnostics: [reportEmptyFile(at(0))], wrong: [], foreign: true };
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

function isEmpty({ contents }: Document): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

function reportEmptyFile(at: SourceLocation): Diagnostic {
  const name = basename(at.file).replace(/\.ya?ml$/i, '');
  const smallest = `{ name: ${name}, config: { served_entities: [{ entity_name: ${name}, entity_version: "1" }] } }`;
  const hint = `The smallest endpoint file, which serves the model in models/${name}/1: ${smallest}. npx davit init writes one for a model that you name, once this file is deleted`;
  return makeError('wrong-type', at, 'Cannot accept an empty file: expected an endpoint', hint);
}

let refused: ReadonlySet<string> | undefined;

/** Whether a value is in a field of Databricks that Davit refuses. Names of environment variables are no fields. */
function isRefused(path: Path): boolean {
  refused ??= new Set(listFields(endpointFile).flatMap(({ name, honoured }) => (honoured ? [] : [name])));
  const names = refused;
  return path.slice(0, 4).some((step) => typeof step === 'string' && names.has(step));
}
