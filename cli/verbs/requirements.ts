import { InvalidParameterError } from '../../app/invalid-parameter.ts';
import { splitRequirements } from '../../app/predict/parse-overrides.ts';
import type { ChangeRequest } from '../../app/requirements/change-request.ts';
import { type ChangedRequirements, changeRequirements } from '../../app/requirements/change-requirements.ts';
import type { PackageChange } from '../../schemas/report/comparison.ts';
import { type EntityRequirements, listEndpointRequirements } from '../../app/requirements/list-requirements.ts';
import { OPERATIONS, parseEdit } from '../../app/requirements/parse-edit.ts';
import { selectNames } from '../../app/select-endpoints.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';
import {
  type Command,
  type Context,
  ENDPOINTS_OPTION,
  ENVIRONMENT_OPTION,
  type Outcome,
  SANDBOX_OPTION,
  UsageError,
} from '../command.ts';
import { textOption } from '../parse-arguments.ts';
import { makeRequest, projectPlace, withEnvironment } from '../request.ts';
import { renderEntity } from './validate.ts';

export const requirements: Command = {
  summary: 'Add or remove requirements of a model without logging it again',
  usage: 'NAME [list | add REQUIREMENT… | remove PACKAGE…]',
  help: [
    'Edits davit.served_entities.ENTITY.requirements in the endpoint file, where comments and formatting stay, locks, proves and',
    'shows what changes in the lock. If the new requirements cannot be locked or the proof fails, no file is changed.',
    '',
    '  davit requirements iris',
    '  davit requirements iris add pillow==10.2.0 scipy==1.12.0',
    '  davit requirements iris remove pillow',
    "  davit requirements iris add pillow==10.2.0 --in-model     edits the model's own files",
  ].join('\n'),
  options: {
    ...ENDPOINTS_OPTION,
    ...ENVIRONMENT_OPTION,
    ...SANDBOX_OPTION,
    entity: { type: 'string', value: 'NAME', help: 'The served entity, if the endpoint has more than one' },
    'in-model': {
      type: 'boolean',
      help: 'Edit requirements.txt, conda.yaml and python_env.yaml of a model in a local directory, as MLflow does',
    },
    'dry-run': { type: 'boolean', help: 'Show the changes, with those of the lock; write nothing and run no model' },
    'without-proof': { type: 'boolean', help: 'Lock without running the model' },
  },
  args: { min: 1, max: Infinity },
  fillsCache: true,
  readsPolicy: true,
  run: runRequirements,
};

async function runRequirements(context: Context): Promise<Outcome> {
  const [given = '', operation = 'list', ...rest] = context.args;
  const known = OPERATIONS.find((o) => o === operation);
  if (!known && (operation !== 'list' || rest.length > 0))
    throw new UsageError(
      OPERATIONS.some((o) => o === given)
        ? `Cannot ${given} requirements of an endpoint "${operation}" so: expected the endpoint first, as in davit requirements ${operation} ${given} …`
        : `Cannot do "${[operation, ...rest].join(' ')}" with requirements: expected list, add or remove`,
    );
  if (known && rest.length === 0)
    throw new UsageError(
      known === 'add'
        ? 'Cannot add nothing: expected requirements such as pillow==10.2.0'
        : 'Cannot remove nothing: expected names of packages such as pillow',
    );
  const [endpoint = given] = await selectNames(projectPlace(context), [given]);
  try {
    return await (known ? runChange(context, endpoint, known, rest) : runList(context, endpoint));
  } catch (e) {
    throw e instanceof InvalidParameterError ? new UsageError(e.message, { cause: e }) : e;
  }
}

async function runList(context: Context, endpoint: string): Promise<Outcome> {
  const entity = textOption(context.options, 'entity');
  const { entities, diagnostics } = await listEndpointRequirements(endpoint, entity, makeRequest(context));
  return {
    diagnostics,
    result: { endpoint, entities },
    text: entities.map((e) => renderRequirements(endpoint, e)).join('\n'),
  };
}

async function runChange(
  context: Context,
  endpoint: string,
  operation: (typeof OPERATIONS)[number],
  lines: readonly string[],
): Promise<Outcome> {
  const { options } = context;
  const edit = parseEdit(operation, lines.flatMap(splitRequirements));
  return withEnvironment(context, async (environment, warnings) => {
    const request: ChangeRequest = {
      ...{ ...environment, endpoint, edit },
      entity: textOption(options, 'entity'),
      isInModel: options['in-model'] === true,
      isDryRun: options['dry-run'] === true,
      withoutProof: options['without-proof'] === true,
    };
    const changed = await changeRequirements(request);
    const { diagnostics, validation, ...result } = changed;
    return {
      diagnostics: [...warnings, ...diagnostics],
      result: { endpoint, ...result, requirements: result.requirements ?? null, proofs: validation?.entities ?? null },
      text: renderChange(changed, request),
    };
  });
}

function renderRequirements(
  endpoint: string,
  { entity, model, requirements: all, removed }: EntityRequirements,
): string {
  const width = Math.max(0, ...all.map((r) => r.requirement.length));
  const lines = all.map(({ requirement, from, replaces }) => {
    const origin = replaces.length > 0 ? `replaces ${replaces.join(', ')} of the model` : 'added by the endpoint file';
    return `  ${from === 'model' ? requirement : `${requirement.padEnd(width)}  ${origin}`}`;
  });
  const gone = removed.map((requirement) => `  ${requirement.padEnd(width)}  removed by the endpoint file`);
  return [`${endpoint}/${entity} (model ${model}): ${pluralize(all.length, 'requirement')}`, ...lines, ...gone].join(
    '\n',
  );
}

function renderChange(changed: ChangedRequirements, { endpoint, isDryRun }: ChangeRequest): string {
  const { files, written, changes, lock, validation, others } = changed;
  if (files.length === 0 && lock === null) return '';
  const state = written ? 'written' : isDryRun ? 'would change' : 'not written';
  const head = changes.length === 0 ? 'requirements unchanged' : state;
  const lines = changes.map(({ before, after }) =>
    before === null ? `  + ${after ?? ''}` : after === null ? `  - ${before}` : `  ~ ${before} → ${after}`,
  );
  const proofs = validation?.entities.map((e) => renderEntity(endpoint, e)) ?? [];
  const stale = others.map((name) => `${name} serves the same model: run npx davit lock ${name}`);
  return [`${files.join(', ') || endpoint}: ${head}`, ...lines, ...renderLock(lock, state), ...proofs, ...stale].join(
    '\n',
  );
}

function renderLock(lock: ChangedRequirements['lock'], state: string): readonly string[] {
  if (lock === null) return [];
  return [`${lock.file}: ${lock.changed ? state : 'up to date'}`, ...lock.packages.map(renderPackage)];
}

function renderPackage({ name, change, old, new: now }: PackageChange): string {
  if (old === null) return `  + ${name} ${now ?? ''}`;
  if (now === null) return `  - ${name} ${old}`;
  return `  ~ ${name} ${old} → ${now} (${change})`;
}
