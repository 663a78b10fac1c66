import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ChangedEndpoint } from '../../review/changed-endpoints.ts';
import { refuseFiles } from '../../review/refuse-files.ts';
import { checkAgainstEnvironment } from '../../schemas/endpoint/check-against-environment.ts';
import { type Diagnostic, hasErrors, sortDiagnostics } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import type { Policy } from '../../schemas/environment/policy.ts';
import { type Lock, renderLock } from '../../schemas/lock/lock.ts';
import type { Proof } from '../../schemas/lock/proof.ts';
import { declarationsRoot, lockFile, type ProjectFolders, readEndpoint, readLock } from '../../schemas/read-project.ts';
import type { EndpointReport, EntityReport } from '../../schemas/report/report.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { named } from '../../system/progress.ts';
import { checkProofInEnvironment } from '../../validation/proof/check-proof-in-environment.ts';
import { lockEndpoint } from '../../validation/lock-endpoint.ts';
import { type ValidateOptions, validateEndpoint } from '../../validation/validate-endpoint.ts';
import type { EntityValidation, Validation } from '../../validation/validation.ts';
import { HIDDEN_PREDICTION, resolveComparisonPolicy } from '../../validation/policy.ts';
import { catchOutage } from '../catch-outage.ts';
import { makeAnswerBesideProof } from './answer-beside-proof.ts';
import { readAcceptedServices } from './accepted-services.ts';
import { compareChanged, type CompareRequest } from './compare-changed.ts';
import { excuseMissingPackages, explainUnfetched, type Fetched, mergeFetched, refuseResolution } from './fetched.ts';
import { requireVirtualenv } from './handed-over.ts';
import { readRegistries } from '../read-registries.ts';
import { writeSboms } from './write-sboms.ts';
import type { ProjectRequest } from '../project-request.ts';

export interface ValidateStage {
  readonly request: ProjectRequest;
  readonly environments: readonly Environment[];
  /** The policies of those environments, also as the base of a pull request has them. */
  readonly policies: readonly Policy[];
  /** The commit that the review compares with. Undefined: there is none. */
  readonly base: string | undefined;
  /** Whether the run is that of a fork or of Dependabot, whose models reach no service. */
  readonly isRestricted?: boolean | undefined;
  /** What an earlier job with credentials has fetched. Undefined: there is no such job. */
  readonly fetched?: Fetched | undefined;
  /** The diagnostics of all files. */
  readonly diagnostics: readonly Diagnostic[];
  /** The absolute paths of the folders for computed locks and for bills of materials. */
  readonly locks: string;
  readonly sboms: string;
}

/** The report of an endpoint that was not reviewed yet. */
export function makeUnread(changed: ChangedEndpoint): EndpointReport {
  return {
    ...changed,
    lock: 'unknown',
    computed_lock: null,
    diagnostics: [],
    entities: [],
    previews: [],
    outage: null,
  };
}

/** Checks and validates one endpoint. A failure is part of the report; only an interruption is thrown. */
export async function validateChanged(changed: ChangedEndpoint, stage: ValidateStage): Promise<EndpointReport> {
  const nothing = makeUnread(changed);
  if (changed.change === 'removed') return nothing;
  const { place, signal } = stage.request;
  const { value, diagnostics } = await readReviewed(place, changed.endpoint, stage.environments);
  const file = `${place.endpoints}/${changed.endpoint}.yaml`;
  const checked = sortDiagnostics([...stage.diagnostics.filter((d) => d.file === file), ...diagnostics]);
  if (!value) return { ...nothing, diagnostics: checked };
  const { value: proven, outage } = await catchOutage(signal, () => proveEndpoint(value, stage));
  if (!proven) return { ...nothing, diagnostics: checked, outage };
  const found = stage.fetched === 'withheld' ? excuseMissingPackages(proven.diagnostics) : proven.diagnostics;
  return { ...nothing, ...proven, diagnostics: sortDiagnostics([...checked, ...found]) };
}

/** Reads an endpoint and checks that the environments can run it. Reads no file through a refused link. */
export async function readReviewed(place: ProjectFolders, name: string, environments: readonly Environment[]) {
  const files = [`${place.endpoints}/${name}.yaml`, lockFile(place, name)];
  const refused = await refuseFiles(declarationsRoot(place), files);
  if (refused.length > 0) return { value: undefined, diagnostics: refused };
  const { value, diagnostics } = await readEndpoint(place, name);
  const unfit = environments.flatMap((e) => (value ? checkAgainstEnvironment(value, e) : []));
  return { value, diagnostics: [...diagnostics, ...unfit] };
}

type Proven = Pick<EndpointReport, 'lock' | 'computed_lock' | 'entities' | 'diagnostics' | 'outage'>;

/** Validates with the existing lock. A missing or stale lock is computed, and the validation continues with it. */
async function proveEndpoint(endpoint: Endpoint, stage: ValidateStage): Promise<Proven> {
  const { place, progress: all, signal, withoutSandbox } = stage.request;
  const { value: lock, diagnostics } = await readLock(place, endpoint.name);
  const { environments, fetched, policies, isRestricted } = stage;
  const registries = await readRegistries(place, environments);
  const acceptedServices = await readAcceptedServices(endpoint, { place, base: stage.base, signal });
  const progress = named(all, endpoint.name);
  const request = { ...stage.request, progress };
  const compare = { ...stage, acceptedServices, registries, request, oldModels: new Map<string, Promise<string>>() };
  const options = {
    ...{ root: declarationsRoot(place), progress, signal, withoutSandbox, environments },
    answerBesideProof: makeAnswerBesideProof(endpoint, compare),
    ...{ policies, acceptedServices, registries, isRestricted, withheld: fetched === 'withheld' },
    ...(fetched !== undefined && { asksIndex: false }), // it has no credentials for a private one
  };
  const make = { endpoint, stage, compare };
  if (fetched !== undefined && fetched !== 'withheld') return proveFetched({ ...make, fetched, lock }, options);
  const first = lock && (await validateEndpoint(endpoint, { ...options, lock }));
  const found = lockState(first, diagnostics);
  if (first && found !== 'stale') return makeProven(first, { ...make, found, lock, computedLock: null });
  const unresolved = fetched === 'withheld' ? refuseResolution(endpoint) : [];
  const { lock: computed, diagnostics: wrong } =
    unresolved.length > 0
      ? { lock: undefined, diagnostics: unresolved }
      : await lockEndpoint(endpoint, { ...options, current: lock });
  if (!computed) {
    const entities = first ? report(first, policies) : [];
    return { lock: found, computed_lock: null, entities, diagnostics: wrong, outage: null };
  }
  // The new lock has just resolved the aliases.
  const validation = await validateEndpoint(endpoint, { ...options, lock: computed, aliases: 'locked' });
  const computedLock = await keepLock(computed, stage.locks);
  return makeProven(validation, { ...make, found, lock: computed, computedLock });
}

interface FetchedEndpoint extends Omit<ProvenWith, 'found' | 'computedLock'> {
  readonly fetched: Exclude<Fetched, 'withheld'>;
}

/** Validates with the lock and the files that an earlier job has fetched. That job has resolved the aliases. */
async function proveFetched(
  { fetched, lock, ...make }: FetchedEndpoint,
  options: Omit<ValidateOptions, 'lock'>,
): Promise<Proven> {
  const { name } = make.endpoint;
  const known = 'missing' in fetched ? undefined : fetched.get(name);
  const diagnostics = known?.diagnostics ?? [];
  const found = known?.lock ?? 'unknown';
  const isLockLost = lock === undefined && !hasErrors(diagnostics);
  const outage = explainUnfetched(name, fetched) ?? (isLockLost ? 'the job "fetch" has handed over no lock' : null);
  if (outage !== null || lock === undefined || hasErrors(diagnostics))
    return { lock: found, computed_lock: null, entities: [], diagnostics: [...diagnostics], outage };
  for (const [entity, version] of Object.entries(known?.handedOver?.new ?? {}))
    await requireVirtualenv({ lock, entity }, version, options);
  const validation = await validateEndpoint(make.endpoint, { ...options, lock, aliases: 'locked' });
  const computedLock = known?.computed_lock == null ? null : await keepLock(lock, make.stage.locks);
  return makeProven(mergeFetched(validation, known), { ...make, found, lock, computedLock });
}

interface ProvenWith {
  readonly endpoint: Endpoint;
  readonly stage: ValidateStage;
  readonly compare: CompareRequest;
  readonly found: EndpointReport['lock'];
  /** The lock that the validation has used. */
  readonly lock: Lock | undefined;
  readonly computedLock: string | null;
}

/** Adds to a validation what needs its proof: the environments' limits, and the comparison with the base. */
async function makeProven(
  validation: Validation,
  { endpoint, stage, compare, found, lock, computedLock }: ProvenWith,
): Promise<Proven> {
  if (lock) await writeSboms(stage.sboms, lock, stage.environments);
  const unfit = stage.environments.flatMap((e) => checkProofInEnvironment(endpoint, validation, e));
  const entities = report(validation, stage.policies);
  const validated = { endpoint, entities, diagnostics: [...validation.diagnostics, ...unfit] };
  const compared = lock && (await compareChanged({ ...validated, lock }, compare));
  const all = sortDiagnostics([...validation.diagnostics, ...unfit, ...(compared?.diagnostics ?? [])]);
  return {
    lock: found,
    computed_lock: computedLock,
    entities: compared?.entities ?? entities,
    diagnostics: [...all],
    outage: compared?.outage ?? null,
  };
}

/** Writes `NAME.lock` and returns the SHA-256 of its text. */
export async function keepLock(lock: Lock, folder: string): Promise<string> {
  const text = renderLock(lock);
  await writeFileAtomically(join(folder, `${lock.endpoint}.lock`), text);
  return createHash('sha256').update(text).digest('hex');
}

/** Without predictions, if the policy hides them. */
function report({ entities }: Validation, policies: readonly Policy[]): EntityReport[] {
  const { showPredictions } = resolveComparisonPolicy(policies);
  return entities.map(makeEntityReport).map((e) => (showPredictions ? e : hidePredictions(e)));
}

function makeEntityReport({ entity, model, stages, proof, advisories }: EntityValidation): EntityReport {
  return {
    entity,
    model,
    stages,
    proof: proof
      ? {
          python: proof.python,
          mlflow: proof.mlflow ?? null,
          sandboxed: proof.sandboxed,
          sandboxLacks: proof.sandboxLacks,
          cases: proof.cases.map(({ origin, name, answer, failure }) => ({
            ...{ origin, name },
            answer: answer ?? null,
            failure: failure ?? null,
          })),
          peakMemoryBytes: proof.peakMemoryBytes,
          workers: proof.workers ?? null,
          ...(proof.network.length > 0 && { network: proof.network.map(reportUse) }),
        }
      : null,
    ...(advisories !== undefined && { advisories }),
  };
}

function reportUse({ failure, ...use }: Proof['network'][number]) {
  return failure === undefined ? use : { ...use, failure };
}

/** Whether the model has predicted stays visible, and not what. */
function hidePredictions(entity: EntityReport): EntityReport {
  if (!entity.proof) return entity;
  const hide = (text: string | null) => text && HIDDEN_PREDICTION;
  const cases = entity.proof.cases.map((c) => ({ ...c, answer: hide(c.answer), failure: hide(c.failure) }));
  return { ...entity, proof: { ...entity.proof, cases } };
}

/** The state of a lock before the review. `unreadable` says why there is no validation with it. */
export function lockState(
  validation: Validation | undefined,
  unreadable: readonly Diagnostic[],
): EndpointReport['lock'] {
  if (!validation) return unreadable.some((d) => d.code === 'lock-missing') ? 'missing' : 'invalid';
  if (validation.diagnostics.some((d) => d.code === 'lock-stale')) return 'stale';
  return validation.entities.every((e) => e.stages.some((s) => s.name === 'lock')) ? 'up-to-date' : 'unknown';
}

/** Whether the endpoint can be previewed. */
export function isProven({ diagnostics, outage }: EndpointReport): boolean {
  return outage === null && !hasErrors(diagnostics);
}
