import { type CheckedLock, checkLocks, type LockedEndpoint, lockEndpoints } from '../../app/lock-endpoints.ts';
import type { ProjectRequest } from '../../app/project-request.ts';
import { selectEndpoints } from '../../app/select-endpoints.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import { readEnvironment } from '../../schemas/read-project.ts';
import {
  type Command,
  type Context,
  ENDPOINTS_OPTION,
  ENVIRONMENT_OPTION,
  environmentName,
  type Outcome,
  UsageError,
} from '../command.ts';
import { makeRequest, outcomeOfErrors } from '../request.ts';

export const lock: Command = {
  summary: "Resolve the models' requirements and freeze them in endpoints/NAME.lock",
  usage: '[NAME…]',
  help: 'Only what is new or changed is resolved again, and versions that still fit stay.\nAn alias (entity_version: "@champion") is resolved to the version that it means now.\n\n  davit lock iris\n  davit lock --check       for a schedule: exit code 1 if a lock is out of date or an alias has moved',
  options: {
    ...ENDPOINTS_OPTION,
    ...ENVIRONMENT_OPTION,
    upgrade: { type: 'boolean', help: 'Resolve everything again, to the newest versions that fit' },
    check: { type: 'boolean', help: 'Write nothing; report locks that are out of date and aliases that have moved' },
  },
  args: { min: 0, max: Infinity },
  fillsCache: true,
  readsPolicy: true,
  run: runLock,
};

async function runLock(context: Context): Promise<Outcome> {
  const { options, args } = context;
  if (options['check'] === true && options['upgrade'] === true)
    throw new UsageError('Cannot use --check with --upgrade: --check writes nothing, expected one of them');
  const request = makeRequest(context);
  const environment = await readEnvironment(request.place, environmentName(context));
  if (!environment.value) return outcomeOfErrors(environment.diagnostics);
  const selected = await selectEndpoints(request.place, args);
  const whole = { ...request, environment: environment.value };
  return options['check'] === true
    ? checkSelected(selected, whole)
    : lockSelected(selected, { ...whole, upgrade: options['upgrade'] === true });
}

type Selected = Awaited<ReturnType<typeof selectEndpoints>>;
type LockVerbRequest = ProjectRequest & { readonly environment: Environment };

async function lockSelected(
  { endpoints, diagnostics }: Selected,
  request: LockVerbRequest & { readonly upgrade: boolean },
): Promise<Outcome> {
  const locked = await lockEndpoints(endpoints, request);
  return {
    diagnostics: [...diagnostics, ...locked.flatMap((l) => l.result.diagnostics)],
    result: {
      locks: locked.map(({ file, written, result }) => ({ file, written, entities: result.entities })),
    },
    text: locked.map(renderLocked).join('\n'),
  };
}

async function checkSelected({ endpoints, diagnostics }: Selected, request: LockVerbRequest): Promise<Outcome> {
  const checked = await checkLocks(endpoints, request);
  return {
    diagnostics: [...diagnostics, ...checked.flatMap((c) => c.diagnostics)],
    result: {
      locks: checked.map(({ endpoint, file, state, outage, withdrawn }) => ({
        endpoint,
        file,
        state,
        outage,
        withdrawn,
      })),
    },
    text: checked.map(renderChecked).join('\n'),
    outage: checked.some((c) => c.outage !== null),
  };
}

const STATES: Readonly<Record<CheckedLock['state'], string>> = {
  'up-to-date': 'up to date',
  missing: 'missing',
  stale: 'out of date',
  invalid: 'not readable',
  waiting: 'waiting for the model',
  unknown: 'not checked',
};

function renderChecked({ file, state, outage }: CheckedLock): string {
  return `${file}: ${STATES[state]}${outage === null ? '' : ` (${outage})`}`;
}

function renderLocked({ file, written, result }: LockedEndpoint): string {
  if (!result.lock) return `${file}: not written`;
  const packages = Object.values(result.lock.virtualenvs).map(
    (v) => `${v.packages.length} packages for Python ${v.python}`,
  );
  return `${file}: ${written ? 'written' : 'up to date'} (${packages.join(', ')})`;
}
