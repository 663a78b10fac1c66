import { realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { makeWarning, type Diagnostic } from '../../schemas/diagnostic.ts';
import { listEndpoints, readEndpoint } from '../../schemas/read-project.ts';
import { locateModel } from '../../system/locate-model.ts';
import { planModelEdit, writeModelEdit } from '../../validation/model/edit-model-requirements.ts';
import { normalizePackageName } from '../../python/normalize-package-name.ts';
import { readRequirementName } from '../../validation/requirements/editing/plan-list-edit.ts';
import { InvalidParameterError } from '../invalid-parameter.ts';
import type { ChangeRequest, EditedSubject, PreparedEdit } from './change-request.ts';

/**
 * Edits the files of an entity's model. They are written at once, because the lock is made from the model's digest, and get
 * their earlier texts back if the edit is not kept.
 */
export async function editModelInPlace(subject: EditedSubject, request: ChangeRequest): Promise<PreparedEdit> {
  const { endpoint, entity, opened } = subject;
  const { root } = request.place;
  const { folder: own, written } = locateModel(root, entity.model);
  // A copy in the cache is never changed, wherever it came from.
  if (own === undefined || (await resolveFolder(own)) !== opened.folder)
    throw new InvalidParameterError(
      `Cannot change the model ${written} with --in-model: it is not in a local directory, expected one. Without --in-model, ${endpoint.file} gets the change`,
    );
  const planned = await planModelEdit(opened.folder, request.edit);
  const folder = relative(await realpath(root), opened.folder);
  if (planned.refusal !== undefined)
    throw new InvalidParameterError(
      `Cannot change the requirements of the model in ${folder}: ${planned.refusal}. Without --in-model, ${endpoint.file} gets the change`,
    );
  const restore = request.isDryRun ? undefined : await writeModelEdit(opened.folder, planned);
  const { overridden, endpoint: tried } = overrideModel(subject, request, planned.unknown);
  return {
    files: planned.edits.map(({ file }) => join(folder, file)),
    // Without the files, the same requirements are resolved as if the endpoint file had the change.
    endpoint: request.isDryRun ? tried : endpoint,
    keep: () => Promise.resolve(),
    restore: () => restore?.() ?? Promise.resolve(),
    others: await listOthers(subject, request),
    diagnostics: [
      ...planned.unknown.map((name) => warnUnknown(subject, name)),
      ...overridden.map((name) => warnOverridden(subject, name)),
    ],
  };
}

/** The endpoint as if it had the change, and the names that its file decides, whatever the model requires. */
function overrideModel({ endpoint, entity }: EditedSubject, { edit }: ChangeRequest, unknown: readonly string[]) {
  const { add, remove } = entity.requirementEdits;
  const decided = new Set(add.map(readRequirementName));
  const dropped = new Set(remove.map(normalizePackageName));
  const isOpen = (name: string) => !decided.has(name) && !dropped.has(name);
  const changed = [...edit.added.map((r) => r.name), ...edit.removed].filter((name) => !unknown.includes(name));
  const requirementEdits = {
    add: [...add, ...edit.added.filter((r) => isOpen(r.name)).map((r) => r.text)],
    remove: [...remove, ...[...edit.removed].filter((name) => isOpen(name) && !unknown.includes(name))],
  };
  const entities = endpoint.entities.map((e) => (e === entity ? { ...e, requirementEdits } : e));
  return { endpoint: { ...endpoint, entities }, overridden: changed.filter((name) => !isOpen(name)) };
}

function warnOverridden({ endpoint, entity }: EditedSubject, name: string): Diagnostic {
  const message = `Changed "${name}" in the model, but ${endpoint.file} decides: davit.served_entities.${entity.name}.requirements has it`;
  const hint = `To use the model's, remove "${name}" there`;
  return makeWarning('requirement-invalid', entity.place, message, hint);
}

/** As MLflow does, which ignores it. */
function warnUnknown({ entity }: EditedSubject, name: string): Diagnostic {
  const message = `Found no "${name}" to remove in the requirements of ${entity.model.name} ${entity.model.version}`;
  return makeWarning('requirement-invalid', entity.place, message);
}

/** Other endpoints whose lock has the digest of the same folder. */
async function listOthers({ endpoint, opened }: EditedSubject, { place }: ChangeRequest): Promise<readonly string[]> {
  const names = (await listEndpoints(place)).filter((name) => name !== endpoint.name);
  const read = await Promise.all(names.map((name) => readEndpoint(place, name)));
  const folders = read.map(({ value }) =>
    Promise.all(
      (value?.entities ?? []).flatMap((e) => locateModel(place.root, e.model).folder ?? []).map(resolveFolder),
    ),
  );
  const found = await Promise.all(folders);
  return names.filter((_, i) => found[i]?.includes(opened.folder));
}

function resolveFolder(folder: string): Promise<string> {
  return realpath(folder).catch(() => folder);
}
