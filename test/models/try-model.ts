import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockEndpoints } from '../../app/lock-endpoints.ts';
import { catchOutage } from '../../app/catch-outage.ts';
import { selectEndpoints } from '../../app/select-endpoints.ts';
import { validateWithOwnLock } from '../../app/validate-endpoints.ts';
import { ensureVirtualenv, makeVirtualenvRequest } from '../../python/ensure-virtualenv.ts';
import { type Diagnostic, hasErrors } from '../../schemas/diagnostic.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import { isOnlyLoaded } from '../../schemas/lock/proof.ts';
import { readLock } from '../../schemas/read-project.ts';
import type { Progress } from '../../system/progress.ts';
import type { MadeModel } from './make-models.ts';

/** How far Davit goes with a model. */
export interface TriedModel {
  readonly model: MadeModel;
  readonly outcome: 'not made' | 'refused' | 'proved' | 'loaded' | 'outage';
  /** The errors where it is refused, else the warnings. */
  readonly diagnostics: readonly Diagnostic[];
  /** What ended it without a diagnostic. */
  readonly why?: string;
  /** The interpreter of the locked virtualenv; only where the model was proved or loaded. */
  readonly python?: string;
}

export interface TryOptions {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Locks and validates an endpoint with one model, in a project of its own, as `davit lock` and `davit validate` do. */
export async function tryModel(model: MadeModel, options: TryOptions): Promise<TriedModel> {
  if (model.error !== undefined) return { model, outcome: 'not made', diagnostics: [], why: model.error };
  const root = await mkdtemp(join(tmpdir(), 'davit-models-'));
  try {
    const tried = await catchOutage(options.signal, () => tryInProject(model, root, options));
    return tried.value ?? { model, outcome: 'outage', diagnostics: [], why: tried.outage };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function tryInProject(model: MadeModel, root: string, options: TryOptions): Promise<TriedModel> {
  await mkdir(join(root, 'endpoints'));
  await writeFile(join(root, 'endpoints', 'tried.yaml'), renderEndpoint(model));
  const { lock, ...tried } = await lockAndValidate(root, 'tried', options);
  if (!lock) return { model, ...tried };
  const { python } = await ensureVirtualenv(makeVirtualenvRequest(lock, 'model', model.folder), options);
  return { model, ...tried, python };
}

/** What `davit lock` and `davit validate` find. `lock` is undefined where the endpoint is refused. */
interface Validated extends Pick<TriedModel, 'outcome' | 'diagnostics'> {
  readonly lock: Lock | undefined;
}

/** Does what `davit lock` and `davit validate` do with an endpoint of one served entity. */
export async function lockAndValidate(root: string, name: string, options: TryOptions): Promise<Validated> {
  const place = { root, endpoints: 'endpoints' };
  const selected = await selectEndpoints(place, [name]);
  const [endpoint] = selected.endpoints;
  const [locked] = await lockEndpoints(selected.endpoints, { place, upgrade: false, ...options });
  const found = [...selected.diagnostics, ...(locked?.result.diagnostics ?? [])];
  if (hasErrors(found) || !endpoint) return refuse(found);
  const { diagnostics, entities } = await validateWithOwnLock(endpoint, { place, ...options });
  if (hasErrors(diagnostics)) return refuse(diagnostics);
  const isProved = !isOnlyLoaded(entities[0]?.proof?.cases ?? []);
  return { outcome: isProved ? 'proved' : 'loaded', diagnostics, lock: (await readLock(place, name)).value };
}

function refuse(diagnostics: readonly Diagnostic[]): Validated {
  return { outcome: 'refused', diagnostics: diagnostics.filter((d) => d.severity === 'error'), lock: undefined };
}

function renderEndpoint({ name, kind, folder }: MadeModel): string {
  const davit = { model_uri: folder, ...kind?.davit };
  return JSON.stringify(
    {
      name: 'tried',
      config: { served_entities: [{ name: 'model', entity_name: name, entity_version: '1' }] },
      davit: { served_entities: { model: davit } },
    },
    null,
    2,
  );
}
