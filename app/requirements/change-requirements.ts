import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type Diagnostic, hasErrors, makeError } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { parseEndpoint } from '../../schemas/endpoint/parse-endpoint.ts';
import { type Lock, renderLock } from '../../schemas/lock/lock.ts';
import { declarationsRoot, lockFile, readEndpoint, readLock } from '../../schemas/read-project.ts';
import { rewriteFileAtomically, writeFileAtomically } from '../../system/atomic-files.ts';
import { isBelow } from '../../system/is-below.ts';
import { named } from '../../system/progress.ts';
import { dropExplainedImports } from '../../validation/imports/check-imports.ts';
import { lockEndpoint, type LockResult } from '../../validation/lock-endpoint.ts';
import { validateEndpoint } from '../../validation/validate-endpoint.ts';
import type { Validation } from '../../validation/validation.ts';
import { readRegistries } from '../read-registries.ts';
import type { ChangeRequest, EditedSubject, PreparedEdit } from './change-request.ts';
import { chooseEntity } from './choose-entity.ts';
import type { PackageChange } from '../../schemas/report/comparison.ts';
import { compareLocks } from './compare-locks.ts';
import { editEndpointText } from './edit-endpoint-text.ts';
import { editModelInPlace } from './edit-model-in-place.ts';
import { type EntityRequirements, listRequirements, openModel, type OpenedModel } from './list-requirements.ts';

/** A changed requirement: what is resolved before and after. */
export interface RequirementChange {
  readonly before: string | null;
  readonly after: string | null;
}

export interface ChangedRequirements {
  readonly entity: string;
  /** The files with the requirements, as the user would type them. */
  readonly files: readonly string[];
  /** Whether those files and the lock are written. If not, every file is as it was. */
  readonly written: boolean;
  readonly changes: readonly RequirementChange[];
  /** What is resolved after the change. */
  readonly requirements: EntityRequirements | undefined;
  readonly lock: {
    readonly file: string;
    readonly changed: boolean;
    readonly packages: readonly PackageChange[];
  } | null;
  readonly validation: Validation | undefined;
  /** Other endpoints that serve the changed model: their locks are stale. */
  readonly others: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Changes requirements of a served entity, locks the endpoint and proves its models. If one of them fails, or at Ctrl-C, every
 * file is as it was before.
 */
export async function changeRequirements(request: ChangeRequest): Promise<ChangedRequirements> {
  const { place } = request;
  const { value: endpoint, diagnostics } = await readEndpoint(place, request.endpoint);
  if (!endpoint) return refuse(request.entity ?? '', diagnostics);
  const entity = chooseEntity(endpoint, request.entity);
  const registries = await readRegistries(place, [request.environment]);
  const { opened, diagnostics: wrong } = await openModel(endpoint, entity, {
    ...request,
    root: place.root,
    registries,
  });
  if (!opened) return refuse(entity.name, wrong);
  const subject = { endpoint, entity, opened };
  const prepared = await (request.isInModel ? editModelInPlace(subject, request) : editEndpointFile(subject, request));
  if (hasErrors(prepared.diagnostics)) return refuse(entity.name, prepared.diagnostics);
  try {
    const changed = await lockAndProve(subject, prepared, request);
    if (!changed.written) await prepared.restore();
    return changed;
  } catch (e) {
    await prepared.restore();
    throw e;
  }
}

function refuse(entity: string, diagnostics: readonly Diagnostic[]): ChangedRequirements {
  return {
    ...{ entity, files: [], written: false, changes: [], requirements: undefined, lock: null },
    ...{ validation: undefined, others: [], diagnostics },
  };
}

async function lockAndProve(
  { endpoint, entity, opened }: EditedSubject,
  prepared: PreparedEdit,
  request: ChangeRequest,
): Promise<ChangedRequirements> {
  const { place, isDryRun, withoutProof } = request;
  const options = {
    ...{ root: place.root, progress: named(request.progress, endpoint.name), signal: request.signal },
    ...{ environments: [request.environment], policies: [request.environment.policy] },
    registries: await readRegistries(place, [request.environment]),
  };
  const current = (await readLock(place, endpoint.name)).value;
  const result = await lockEndpoint(prepared.endpoint, { ...options, current });
  const { lock } = result;
  const requirements = await listAfter(prepared.endpoint, entity.name, opened, options);
  const validation =
    lock && !isDryRun && !withoutProof
      ? await validateEndpoint(prepared.endpoint, { ...options, lock, withoutSandbox: request.withoutSandbox })
      : undefined;
  const diagnostics = joinDiagnostics(prepared.diagnostics, result.diagnostics, validation?.diagnostics ?? []);
  const written = lock !== undefined && !isDryRun && !hasErrors(diagnostics);
  if (written) await keep(prepared, result, lock, request);
  return {
    ...{ entity: entity.name, files: prepared.files, written, requirements, validation, others: prepared.others },
    changes: compareRequirements(listRequirements(endpoint, entity, opened.model), requirements),
    lock: lock
      ? {
          file: lockFile(place, endpoint.name),
          changed: result.changed,
          packages: compareLocks(entity.name, current, lock),
        }
      : null,
    diagnostics,
  };
}

/** If Davit is killed between the two files, the lock is stale, which every command reports. */
async function keep(
  prepared: PreparedEdit,
  { changed }: LockResult,
  lock: Lock,
  { place, endpoint, signal }: ChangeRequest,
) {
  signal.throwIfAborted();
  await prepared.keep();
  if (changed) await writeFileAtomically(join(place.root, lockFile(place, endpoint)), renderLock(lock));
}

/** The model is read again, because the edit can be in its files. */
async function listAfter(
  endpoint: Endpoint,
  name: string,
  { model: before }: OpenedModel,
  options: Parameters<typeof openModel>[2],
): Promise<EntityRequirements | undefined> {
  const entity = endpoint.entities.find((e) => e.name === name);
  if (!entity) return undefined;
  const { opened } = await openModel(endpoint, entity, options);
  return listRequirements(endpoint, entity, opened?.model ?? before);
}

function compareRequirements(
  before: EntityRequirements,
  after: EntityRequirements | undefined,
): readonly RequirementChange[] {
  const [old, now] = [before, after].map((all) => all?.requirements.map((r) => r.requirement) ?? []);
  const gone = (old ?? []).filter((text) => !now?.includes(text));
  const fresh = (now ?? []).filter((text) => !old?.includes(text));
  const nameOf = (text: string) => /^[a-z0-9-]*/.exec(text)?.[0] ?? text;
  const replaced = fresh.map((text) => ({
    before: gone.find((other) => nameOf(other) === nameOf(text)) ?? null,
    after: text,
  }));
  const removed = gone.filter((text) => !replaced.some((r) => r.before === text));
  return [...replaced, ...removed.map((text) => ({ before: text, after: null }))];
}

/** Locking and proving check the same files. */
function joinDiagnostics(...lists: readonly (readonly Diagnostic[])[]): readonly Diagnostic[] {
  return dropExplainedImports([...new Map(lists.flat().map((d) => [JSON.stringify(d), d])).values()]);
}

/** Edits the endpoint file in memory. It is written at the end, if it is still the file that was read. */
async function editEndpointFile(subject: EditedSubject, request: ChangeRequest): Promise<PreparedEdit> {
  const { place } = request;
  const { file } = subject.endpoint;
  const path = join(declarationsRoot(place), file);
  const [target, root] = await Promise.all([realpath(path), realpath(place.root)]);
  const text = await readFile(target, 'utf8');
  const none = { files: [file], endpoint: subject.endpoint, others: [], restore: () => Promise.resolve() };
  const edited = isBelow(target, root)
    ? editEndpointText(text, subject, request.edit)
    : { diagnostics: [refuseLink(file, target)] };
  if (!('text' in edited)) return { ...none, ...edited, keep: () => Promise.resolve() };
  const { endpoint, diagnostics } = parseEndpoint(edited.text, file);
  const keepText = async () => {
    if ((await readFile(target, 'utf8')) !== text)
      throw new Error(`Cannot write ${file}: it has changed meanwhile. Nothing was written; run the command again`);
    if (edited.text !== text) await rewriteFileAtomically(target, edited.text);
  };
  return { ...none, endpoint: endpoint ?? subject.endpoint, keep: keepText, diagnostics };
}

function refuseLink(file: string, target: string): Diagnostic {
  const message = `Cannot edit ${file}: it is a link to ${target}, outside the project, expected a file in it`;
  return makeError('unreadable-file', { file, line: 1, column: 1 }, message, `Edit ${target} itself`);
}
