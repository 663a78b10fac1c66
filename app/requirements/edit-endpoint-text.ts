import { stringify } from 'yaml';
import { type Diagnostic, makeError } from '../../schemas/diagnostic.ts';
import { editTextList } from '../../schemas/yaml/edit-list.ts';
import { normalizePackageName } from '../../python/normalize-package-name.ts';
import { listModelNames } from '../../validation/requirements/edit-requirements.ts';
import { parseCondaName } from '../../validation/requirements/parse-conda-name.ts';
import {
  isUnchanged,
  planListEdit,
  readRequirementName,
  type RequirementsEdit,
} from '../../validation/requirements/editing/plan-list-edit.ts';
import type { EditedSubject } from './change-request.ts';

type EditedText = { readonly text: string } | { readonly diagnostics: readonly Diagnostic[] };

/**
 * Writes a change of requirements into `davit.served_entities.NAME.requirements` of an endpoint file. A requirement that the
 * file itself has added is removed there; one of the model gets into `remove`. What the model itself requires needs no entry.
 */
export function editEndpointText(text: string, subject: EditedSubject, edit: RequirementsEdit): EditedText {
  const { endpoint, entity, opened } = subject;
  const { add, remove } = entity.requirementEdits;
  const written = new Set(add.flatMap((line) => readRequirementName(line) ?? []));
  const ofModel = listNames(opened.model);
  const building = new Set(entity.buildWheels);
  const already = new Set(remove.map(normalizePackageName));
  const unknown = [...edit.removed].filter(
    (name) => ![written, ofModel, already, building].some((names) => names.has(name)),
  );
  if (unknown.length > 0) return { diagnostics: unknown.map((name) => reportUnknown(subject, name, ofModel)) };
  const own = new Set(opened.model.requirements.map((r) => r.text));
  const added = planListEdit(add, {
    added: edit.added.filter((r) => !own.has(r.text)),
    removed: new Set([...edit.removed, ...edit.added.map((r) => r.name)]),
  });
  const restored = planListEdit(remove, { added: [], removed: new Set(edit.added.map((r) => r.name)) });
  const removed = [...edit.removed].filter((name) => ofModel.has(name) && !already.has(name));
  const entityPath = ['davit', 'served_entities', entity.name];
  const path = [...entityPath, 'requirements'];
  // Without the requirement, the permission to build it would stay for nothing.
  const builds = planListEdit(entity.buildWheels, { added: [], removed: edit.removed });
  const lists = [
    ['add', added],
    ['remove', { ...restored, appended: removed }],
  ] as const;
  let current: string | undefined = text;
  if (!isUnchanged(builds)) current = editTextList(current, [...entityPath, 'build_wheels'], builds, { prunes: true });
  // What is appended first keeps the fields around it when the other list is emptied.
  const order = added.appended.length > 0 ? lists : lists.toReversed();
  for (const [field, change] of order)
    if (current !== undefined && !isUnchanged(change))
      current = editTextList(current, [...path, field], change, { prunes: true });
  if (current !== undefined) return { text: current };
  return { diagnostics: [reportUneditable(endpoint.file, path, edit)] };
}

function listNames(model: EditedSubject['opened']['model']): ReadonlySet<string> {
  return new Set([...listModelNames(model), ...(model.conda?.packages ?? []).map(parseCondaName)]);
}

function reportUnknown({ entity, endpoint }: EditedSubject, name: string, known: ReadonlySet<string>): Diagnostic {
  const { model, place } = entity;
  const message = `Cannot remove "${name}" from the requirements of ${entity.name} in ${endpoint.file}: neither the file nor the model ${model.name} ${model.version} requires it`;
  return makeError('requirement-invalid', place, message, `Requirements of the model: ${[...known].join(', ')}`);
}

function reportUneditable(file: string, path: readonly string[], { added, removed }: RequirementsEdit): Diagnostic {
  const message = `Cannot edit ${path.join('.')} in ${file}: the file has a form that would be damaged, such as an alias`;
  const lists = {
    ...(added.length > 0 && { add: added.map((r) => r.text) }),
    ...(removed.size > 0 && { remove: [...removed] }),
  };
  const wanted = stringify(lists, { collectionStyle: 'flow', lineWidth: 0 }).trim();
  return makeError('bad-yaml', { file, line: 1, column: 1 }, message, `Write there by hand: ${wanted}`);
}
