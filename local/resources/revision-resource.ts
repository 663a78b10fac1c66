import { dirname, join } from 'node:path';
import { InitFailed } from '../../pulumi-provider/resource-init-error.ts';
import type { CheckFailure, Context, ResourceType } from '../../pulumi-provider/provider.ts';
import type { LocalRevisionInputs } from '../../schemas/environment/local-resources.ts';
import { parseLock, type LockedVirtualenv } from '../../schemas/lock/lock.ts';
import { parseFolderVariables } from '../../schemas/deployment/folder-variables.ts';
import { renderRevisionFailure } from '../../schemas/deployment/revision-failure.ts';
import { declarationsRoot, readLockText, readText } from '../../schemas/read-project.ts';
import type { ServingFailure, PutRevisionRequest, RevisionStatus } from '../control/control-protocol.ts';
import { ControlRefused } from '../control/control-errors.ts';
import type { SupervisorId } from '../supervisor/supervisor-id.ts';
import { describeMissingModel, resolveModel } from '../revisions/resolve-model.ts';
import { hasSupervisorOrState, readStatus, waitForEnd, withSupervisor } from '../supervisor/start-supervisor.ts';

/** Properties that change in place. Any other change makes a new revision, because the name contains a hash of them. */
const IN_PLACE = /^(bounds|autoscaling|lock|model\.uri)\b/;
const MAX_SHOWN_LINES = 12;

/** `davit:local:Revision`: one immutable deployed form of an entity. Created when it is ready and has predicted. */
export function makeRevisionResource(
  place: () => SupervisorId,
): ResourceType<LocalRevisionInputs, LocalRevisionInputs> {
  return {
    check: async ({ inputs }) => ({ inputs, failures: await checkRevision(place().root, inputs) }),
    replaces: (path) => !IN_PLACE.test(path),
    create: async ({ inputs }, context) => {
      if (!context.preview) await putRevision(place(), inputs, context);
      return { id: inputs.name, outputs: inputs };
    },
    update: async ({ inputs }, context) => {
      if (!context.preview) await putRevision(place(), inputs, context);
      return inputs;
    },
    read: async ({ id, inputs }) => {
      const status = await readStatus(place().root, place().environment);
      const found = status?.revisions.find((r) => r.name === id);
      if (!found) return undefined;
      const now = { ...inputs, ...toInputs(found) };
      if (found.state === 'failed' && found.failure) throw makeStartError(now, found.failure);
      return { inputs: now, outputs: now };
    },
    delete: ({ id }, context) => deleteRevision(place(), id, context),
  };
}

async function checkRevision(root: string, inputs: LocalRevisionInputs): Promise<readonly CheckFailure[]> {
  // A preview can use another checkout.
  const declared = { ...parseFolderVariables(root, process.env), endpoints: dirname(inputs.lock) };
  const missing = await describeMissingModel(declarationsRoot(declared), inputs);
  const model = missing === undefined ? [] : [{ property: 'model', reason: missing }];
  try {
    findVirtualenv(await readLockText(declared, inputs.endpoint), inputs);
    return model;
  } catch (e) {
    return [...model, { property: 'lock', reason: (e as Error).message }];
  }
}

async function putRevision(place: SupervisorId, inputs: LocalRevisionInputs, context: Context): Promise<void> {
  const { lock, autoscaling, ...revision } = inputs;
  const text = await readText(join(place.root, lock));
  const virtualenv = explaining(inputs, () => findVirtualenv(text, inputs));
  const modelDirectory = resolveModel(place.root, inputs.model);
  const put: PutRevisionRequest = { revision, autoscaling, virtualenv, modelDirectory };
  const progress = { say: context.log.progress };
  const signal = limited(context);
  try {
    await withSupervisor(place, (client) => client.putRevision(put, { progress, signal }), { progress, signal });
  } catch (e) {
    if (e instanceof ControlRefused && e.error.failure) throw makeStartError(inputs, e.error.failure);
    throw e;
  }
}

async function deleteRevision(place: SupervisorId, name: string, { log, signal }: Context): Promise<void> {
  if (!(await hasSupervisorOrState(place))) return;
  const progress = { say: log.progress };
  await withSupervisor(
    place,
    async (client) => {
      const status = await client.status();
      const { ending } = await client.deleteRevision(name, { progress, signal });
      if (ending) await waitForEnd(status, { progress });
    },
    { progress, signal },
  );
}

/** Finds the locked virtualenv of a revision. */
function findVirtualenv(text: string | undefined, inputs: LocalRevisionInputs): LockedVirtualenv {
  const { lock: file, virtualenv: key, endpoint } = inputs;
  const next = `expected the lock of "${endpoint}" (npx davit lock ${endpoint})`;
  if (text === undefined) throw new Error(`Cannot read ${file}: the file does not exist, ${next}`);
  const virtualenv = parseLock(text, file).lock?.virtualenvs[key];
  if (!virtualenv) throw new Error(`Cannot find the virtualenv "${key}" in ${file}: ${next}`);
  return virtualenv;
}

function makeStartError(inputs: LocalRevisionInputs, { stage, message, log }: ServingFailure): InitFailed {
  const { name, entity, endpoint, model } = inputs;
  const failure = {
    revision: name,
    message: `Cannot serve "${entity}" (${model.name} version ${model.version}), stage ${stage}: ${message}`,
    hints: [
      ...log.slice(-MAX_SHOWN_LINES).map((line) => `    ${line}`),
      `The previous version keeps serving. Full log: npx davit logs ${endpoint}`,
    ],
  };
  return new InitFailed(name, inputs, [renderRevisionFailure(failure)]);
}

/** Throws an error about the user's files as the revision's failure, so that it is no outage. */
function explaining<T>({ name: revision }: LocalRevisionInputs, read: () => T): T {
  try {
    return read();
  } catch (e) {
    const { message } = e as Error;
    throw new Error(renderRevisionFailure({ revision, message, hints: [] }), { cause: e });
  }
}

/** Converts a revision's status to its inputs. */
function toInputs({ bounds, autoscaling, endpoint, entity, workers }: RevisionStatus) {
  return { bounds, autoscaling, endpoint, entity, workers };
}

function limited({ signal, timeoutSeconds }: Context): AbortSignal {
  if (timeoutSeconds === undefined) return signal;
  return AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]);
}
