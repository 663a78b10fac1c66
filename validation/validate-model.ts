import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { PythonOptions } from '../python/find-uv.ts';
import { makeVirtualenvRequest, type VirtualenvRequest } from '../python/ensure-virtualenv.ts';
import { type Diagnostic, sortDiagnostics } from '../schemas/diagnostic.ts';
import type { DiagnosticCode } from '../schemas/diagnostic-codes.ts';
import type { Endpoint, Entity } from '../schemas/endpoint/endpoint.ts';
import { DEFAULT_TIME_LIMIT_SECONDS } from '../schemas/endpoint/endpoint-file.ts';
import { EXPLANATIONS } from '../schemas/explanations/explanations.ts';
import { type Lock, parseLock, renderLock } from '../schemas/lock/lock.ts';
import { contentHash } from '../schemas/values/names.ts';
import { readText } from '../schemas/read-project.ts';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { cacheFolder } from '../system/cache.ts';
import { fetchModel } from './model/fetch-model.ts';
import { lockSubjects } from './lock-endpoint.ts';
import type { Subject } from './subject.ts';
import { validateSubjects } from './validate-endpoint.ts';
import type { StageName, Validation } from './validation.ts';

export interface StandaloneModelOptions extends PythonOptions {
  /** Base folder of relative paths. */
  readonly cwd: string;
  /** Maximum seconds for one prediction. The default is that of endpoints. */
  readonly timeLimitSeconds?: number;
  /** Runs the model with the user's own rights. Undefined: the environment of the user decides. */
  readonly withoutSandbox?: boolean | undefined;
  /** Requirements that replace or extend those of the model. */
  readonly addedRequirements?: readonly string[];
  /** Codes of errors that are only warnings, because the caller's purpose needs less than serving. */
  readonly tolerated?: readonly DiagnosticCode[];
}

/** A standalone model that is ready to serve. */
export interface ServableModel {
  readonly subject: Subject;
  /** Absolute path. Undefined if there is an error, like the next two fields. */
  readonly folder: string | undefined;
  readonly lock: Lock | undefined;
  readonly virtualenv: VirtualenvRequest | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Name of the only entity of a standalone model. */
const NAME = 'model';

/** Proves a model directory or URI without an endpoint. Keeps its lock in the cache. */
export async function validateModel(pathOrUri: string, options: StandaloneModelOptions): Promise<Validation> {
  const subject = makeStandaloneSubject(pathOrUri, options);
  const started = performance.now();
  const { lock, diagnostics } = await lockStandaloneModel(subject, options);
  if (!lock) {
    const seconds = Math.round(performance.now() - started) / 1000;
    const stages = [{ name: findFailedStage(diagnostics), seconds, cached: false }];
    const entity = { entity: NAME, model: subject.label, stages, proof: undefined };
    return { endpoint: subject.endpoint.name, entities: [entity], diagnostics };
  }
  const validated = await validateSubjects([subject], { ...options, root: options.cwd, lock });
  return {
    endpoint: subject.endpoint.name,
    entities: validated.entities,
    diagnostics: sortDiagnostics([...diagnostics, ...validated.diagnostics]),
  };
}

/** Making the lock fetches and checks the model first. Only the codes of the errors say what failed. */
function findFailedStage(diagnostics: readonly Diagnostic[]): StageName {
  const codes = diagnostics.filter((d) => d.severity === 'error').map((d) => d.code);
  const stages = codes.map((code) => EXPLANATIONS[code].stage);
  return (['fetch', 'check'] as const).find((stage) => stages.includes(stage)) ?? 'lock';
}

/** Locks a standalone model for `davit serve` and `davit predict`, without running its code. */
export async function prepareStandaloneModel(
  pathOrUri: string,
  options: StandaloneModelOptions,
): Promise<ServableModel> {
  const subject = makeStandaloneSubject(pathOrUri, options);
  const { lock, diagnostics } = await lockStandaloneModel(subject, options);
  const fetched = lock && (await fetchModel(subject, { ...options, root: options.cwd }));
  const folder = fetched?.folder;
  if (!lock || folder === undefined)
    return { subject, folder: undefined, lock: undefined, virtualenv: undefined, diagnostics };
  return { subject, folder, lock, virtualenv: makeVirtualenvRequest(lock, NAME, folder), diagnostics };
}

async function lockStandaloneModel(subject: Subject, options: StandaloneModelOptions) {
  const { model, requirementEdits } = subject.entity;
  // The lock of a model as it is stays the same when other requirements are tried.
  const key = requirementEdits.add.length === 0 ? model.name : { model: model.name, add: requirementEdits.add };
  const file = cacheFolder('locks', `${contentHash(key).slice(0, 20)}.lock`);
  const text = await readText(file);
  const current = text === undefined ? undefined : parseLock(text, file).lock;
  const result = await lockSubjects(NAME, [subject], { ...options, root: options.cwd, current });
  if (result.lock && result.changed) await writeFileAtomically(file, renderLock(result.lock));
  return result;
}

/** Wraps a standalone model as the only entity of an endpoint without a file. */
export function makeStandaloneSubject(
  pathOrUri: string,
  { cwd, timeLimitSeconds = DEFAULT_TIME_LIMIT_SECONDS, addedRequirements = [] }: StandaloneModelOptions,
): Subject {
  const path = pathOrUri.replace(/(?<=[^/])\/+$/, '');
  // Use the absolute path, so that one directory has one lock, whatever the spelling and the working directory.
  const place = /^[a-z][a-z0-9+.-]+:/i.test(path) ? path : resolve(cwd, path);
  const entity: Entity = {
    name: NAME,
    model: { name: place, version: '', uri: place },
    workloadType: 'CPU',
    concurrency: { min: 1, max: 1 },
    scaleToZero: false,
    environmentVars: {},
    instanceProfileArn: undefined,
    requirementEdits: { add: [...addedRequirements], remove: [] },
    buildWheels: [],
    timeLimitSeconds,
    workerMode: undefined,
    nan: 'error',
    validation: [],
    place: { file: path, line: 1, column: 1 },
  };
  const endpoint: Endpoint = {
    name: NAME,
    file: path,
    description: '',
    tags: [],
    entities: [entity],
    routes: [],
    routeOptimized: false,
    permissions: [],
    rateLimits: [],
    rollout: 'rolling',
  };
  // A model of MLflow before 1.19 has no other list, and a new requirements.txt would replace all of it.
  const isInConda = !existsSync(join(place, 'requirements.txt')) && existsSync(join(place, 'conda.yaml'));
  return { endpoint, entity, label: path, alone: true, ...(isInConda && { listFile: 'conda.yaml' }) };
}
