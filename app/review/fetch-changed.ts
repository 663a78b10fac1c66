import { installVirtualenv, makeVirtualenvRequest } from '../../python/ensure-virtualenv.ts';
import { VirtualenvError } from '../../python/virtualenv-error.ts';
import type { ChangedEndpoint } from '../../review/changed-endpoints.ts';
import { type Diagnostic, hasErrors, sortDiagnostics } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import { declarationsRoot, readLock } from '../../schemas/read-project.ts';
import type { EndpointReport } from '../../schemas/report/report.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import { findModelFolder, locateDownload } from '../../system/locate-model.ts';
import { named, withProgress } from '../../system/progress.ts';
import { locateModuleList, readPackagedModules } from '../../validation/imports/packaged-modules.ts';
import { NO_ANSWER, type RegistryCard } from '../../validation/card/read-registry-card.ts';
import type { ComparedVersion } from '../../validation/comparison/compare-entity.ts';
import { ComparisonError } from '../../validation/comparison/comparison-error.ts';
import { lockEndpoint } from '../../validation/lock-endpoint.ts';
import { makeSubject, makeSubjectError, type Subject } from '../../validation/subject.ts';
import { validateEndpoint } from '../../validation/validate-endpoint.ts';
import { catchOutage } from '../catch-outage.ts';
import { readRegistries } from '../read-registries.ts';
import { listOldVersions, readCard } from './compare-changed.ts';
import type { HandedOver, HandedOverVersion } from './handed-over.ts';
import { keepCard, keepWithdrawn } from './keep-answers.ts';
import { keepLock, lockState, makeUnread, readReviewed, type ValidateStage } from './validate-changed.ts';

export interface FetchStage extends Omit<ValidateStage, 'diagnostics' | 'sboms'> {
  /** Whether the packages are fetched too, because an index may need credentials. */
  readonly withPackages: boolean;
  /** Receives the absolute paths of the files and folders of the cache that the validation will need. */
  readonly files: Set<string>;
  /** Receives what else the validation has to know, by the names of the endpoints. */
  readonly handedOver: Map<string, HandedOver>;
}

/**
 * Does for one endpoint what may need credentials: fetches its models and those that it is compared with, computes a
 * missing or stale lock, and installs the locked packages. Runs no code of a model or of a package. A failure is part of
 * the report; only an interruption is thrown.
 */
export async function fetchChanged(changed: ChangedEndpoint, stage: FetchStage): Promise<EndpointReport> {
  const nothing = makeUnread(changed);
  if (changed.change === 'removed') return nothing;
  const { place, signal } = stage.request;
  const { value } = await readReviewed(place, changed.endpoint, stage.environments);
  if (!value) return nothing; // the validation says why
  const { value: fetched, outage } = await catchOutage(signal, () => fetchEndpoint(value, stage));
  return { ...nothing, ...fetched, outage };
}

type Fetched = Pick<EndpointReport, 'lock' | 'computed_lock' | 'diagnostics'>;

async function fetchEndpoint(endpoint: Endpoint, stage: FetchStage): Promise<Fetched> {
  const { place, progress: all, signal } = stage.request;
  const registries = await readRegistries(place, stage.environments);
  const { policies } = stage;
  const options = { root: declarationsRoot(place), progress: named(all, endpoint.name), signal, policies, registries };
  const { value: current, diagnostics: unreadable } = await readLock(place, endpoint.name);
  const first =
    current && (await validateEndpoint(endpoint, { ...options, lock: current, until: 'fetch', aliases: 'checked' }));
  const found = lockState(first, unreadable);
  const isFresh = first !== undefined && found !== 'stale';
  if (isFresh && hasErrors(first.diagnostics))
    return { lock: found, computed_lock: null, diagnostics: [...first.diagnostics] };
  const unbuilt = isFresh ? [] : refuseBuilds(endpoint, found === 'missing' ? 'lock-missing' : 'lock-stale');
  if (unbuilt.length > 0) return { lock: found, computed_lock: null, diagnostics: [...unbuilt] };
  const locked = isFresh
    ? { lock: current, diagnostics: [] }
    : await lockEndpoint(endpoint, { ...options, current, withoutImports: true });
  if (!locked.lock) return { lock: found, computed_lock: null, diagnostics: [...locked.diagnostics] };
  const diagnostics = await fetchFiles({ endpoint, lock: locked.lock }, { ...stage, registries });
  const computed = isFresh ? null : await keepLock(locked.lock, stage.locks);
  return {
    lock: found,
    computed_lock: computed,
    diagnostics: [...sortDiagnostics([...locked.diagnostics, ...diagnostics])],
  };
}

/** To lock a package without a wheel is to build it, which runs its code. This job has the credentials. */
function refuseBuilds(endpoint: Endpoint, code: 'lock-missing' | 'lock-stale'): readonly Diagnostic[] {
  return endpoint.entities
    .filter(({ buildWheels }) => buildWheels.length > 0)
    .map((entity) =>
      makeSubjectError(
        makeSubject(endpoint, entity),
        code,
        `Cannot lock the packages of ${entity.name} here: build_wheels names ${entity.buildWheels.join(', ')}, and a job with credentials builds nothing`,
        `Run npx davit lock ${endpoint.name} on your machine, and commit the lock`,
      ),
    );
}

type FilesStage = FetchStage & { readonly registries: Awaited<ReturnType<typeof readRegistries>> };

/** Fetches what both versions need. Why the older one cannot be fetched is noted for the comparison. */
async function fetchFiles(
  now: { readonly endpoint: Endpoint; readonly lock: Lock },
  stage: FilesStage,
): Promise<readonly Diagnostic[]> {
  const { place, signal } = stage.request;
  const diagnostics: Diagnostic[] = [];
  const handedOver: HandedOver = { new: {}, old: {} };
  stage.handedOver.set(now.endpoint.name, handedOver);
  const olds = await listOldVersions(now, stage);
  const cards: (RegistryCard | undefined)[] = [];
  for (const entity of now.endpoint.entities) {
    const locked = readOwn(now.lock.entities, entity.name)?.model;
    if (!locked) continue;
    const folder = findModelFolder(declarationsRoot(place), { ...entity.model, digest: locked.digest });
    const version = { subject: makeSubject(now.endpoint, entity), lock: now.lock, folder };
    const fetched = await fetchVersion(version, stage);
    handedOver.new[entity.name] = fetched.version;
    diagnostics.push(...fetched.diagnostics);
    await keepWithdrawn(now.lock, entity.name, stage);
    if (olds.length > 0) cards.push(await keepCard(version, () => readCard(version.subject, version, stage), stage));
  }
  const isDown = cards.includes(NO_ANSWER);
  for (const old of olds) {
    const result = await catchOutage(signal, () => fetchOldVersion(old, { ...stage, isDown }));
    const { outage } = result;
    handedOver.old[old.subject.entity.name] =
      outage === null ? result.value : { ...NOTHING, missing: { why: outage, cause: 'outage' } };
  }
  return diagnostics;
}

const NOTHING: HandedOverVersion = { python: null, has_builds: false, missing: null };

async function fetchOldVersion(
  { subject, lock, findModel, readRegistryCard }: ComparedVersion,
  stage: FilesStage & { readonly isDown: boolean },
): Promise<HandedOverVersion> {
  try {
    const folder = await findModel();
    const { version, diagnostics } = await fetchVersion({ subject, lock, folder }, stage);
    const [wrong] = diagnostics;
    if (wrong) return { ...version, missing: { why: wrong.message, cause: 'fault' } };
    if (!stage.isDown) await keepCard({ subject, lock }, async () => readRegistryCard?.(folder), stage);
    return version;
  } catch (e) {
    if (!(e instanceof ComparisonError)) throw e;
    return { ...NOTHING, missing: { why: e.message, cause: 'fault' } };
  }
}

interface FetchedVersion {
  readonly subject: Subject;
  readonly lock: Lock;
  readonly folder: string;
}

async function fetchVersion(
  { subject, lock, folder }: FetchedVersion,
  { request, withPackages, files }: FetchStage,
): Promise<{ readonly version: HandedOverVersion; readonly diagnostics: readonly Diagnostic[] }> {
  const { name } = subject.entity;
  if (folder === locateDownload(readOwn(lock.entities, name)?.model.digest ?? '')) files.add(folder);
  if (!withPackages) return { version: NOTHING, diagnostics: [] };
  const { progress: all, signal } = request;
  const progress = named(all, subject.endpoint.name);
  const wanted = makeVirtualenvRequest(lock, name, folder);
  // The validation builds and installs them, without the credentials of an index.
  if (wanted.packages.some(({ built }) => built !== undefined))
    return { version: { ...NOTHING, has_builds: true }, diagnostics: [] };
  let python: string;
  try {
    const made = await installVirtualenv(wanted, { progress, signal });
    files.add(made.folder);
    python = made.pythonVersion;
  } catch (e) {
    if (!(e instanceof VirtualenvError)) throw e;
    return { version: NOTHING, diagnostics: [makeSubjectError(subject, e.kind, e.message, e.hint)] };
  }
  const read = await withProgress(progress, `Reading which modules ${wanted.packages.length} packages provide`, () =>
    readPackagedModules(wanted.packages, wanted, { progress, signal }),
  );
  for (const each of wanted.packages) if (read.has(each.name)) files.add(locateModuleList(each));
  return { version: { ...NOTHING, python }, diagnostics: [] };
}
