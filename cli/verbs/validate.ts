import { selectEndpoints } from '../../app/select-endpoints.ts';
import { validateEndpoints } from '../../app/validate-endpoints.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { renderBytes } from '../../schemas/values/quantity.ts';
import { describeCase, isOnlyLoaded, isUnreachable, type Proof, renderNetworkUse } from '../../schemas/lock/proof.ts';
import { renderModelLoading } from '../../schemas/endpoint/worker-mode.ts';
import type { EntityValidation, Validation } from '../../validation/validation.ts';
import { validateModel } from '../../validation/validate-model.ts';
import { readEnvironment } from '../../schemas/read-project.ts';
import {
  type Command,
  type Context,
  ENDPOINTS_OPTION,
  ENVIRONMENT_OPTION,
  environmentName,
  type Outcome,
  SANDBOX_OPTION,
  UsageError,
} from '../command.ts';
import { textOption } from '../parse-arguments.ts';
import { makeRequest, outcomeOfErrors, readSandboxOption } from '../request.ts';

export const validate: Command = {
  summary: 'Prove the models: virtualenv from the lock, prediction, signature',
  usage: '[NAME…]',
  help: 'What has been proved is not proved again. The policy of the environment decides what is an error.\n\n  davit validate iris\n  davit validate iris --environment production\n  davit validate --model path/to/model     a model that no endpoint names',
  options: {
    ...ENDPOINTS_OPTION,
    ...ENVIRONMENT_OPTION,
    ...SANDBOX_OPTION,
    model: { type: 'string', value: 'PATH|URI', help: 'Validate this model instead of endpoints' },
  },
  args: { min: 0, max: Infinity },
  fillsCache: true,
  readsPolicy: true,
  run: runValidate,
};

async function runValidate(context: Context): Promise<Outcome> {
  const { args, cwd, progress, signal } = context;
  const model = textOption(context.options, 'model');
  if (model === undefined) {
    const request = makeRequest(context);
    const environment = await readEnvironment(request.place, environmentName(context));
    if (!environment.value) return outcomeOfErrors(environment.diagnostics);
    const { endpoints, diagnostics } = await selectEndpoints(request.place, args);
    const validations = await validateEndpoints(endpoints, { ...request, environment: environment.value });
    return makeOutcome(validations, diagnostics);
  }
  if (args.length > 0)
    throw new UsageError(`Cannot validate both "${args.join(' ')}" and --model: expected one or the other`);
  return makeOutcome(
    [await validateModel(model, { cwd, progress, signal, withoutSandbox: readSandboxOption(context.options) })],
    [],
  );
}

function makeOutcome(validations: readonly Validation[], diagnostics: readonly Diagnostic[]): Outcome {
  return {
    diagnostics: [...diagnostics, ...validations.flatMap((v) => v.diagnostics)],
    result: { endpoints: validations.map(({ endpoint, entities }) => ({ endpoint, entities })) },
    text: validations.flatMap((v) => v.entities.map((e) => renderEntity(v.endpoint, e))).join('\n'),
  };
}

/** A validated entity in one line, and its answers below it. */
export function renderEntity(endpoint: string, { advisories, ...validation }: EntityValidation): string {
  const proof = renderProof(endpoint, validation);
  return advisories === undefined ? proof : `${proof}\n    ${advisories}`;
}

function renderProof(endpoint: string, { entity, model, stages, proof }: Omit<EntityValidation, 'advisories'>): string {
  const seconds = stages.reduce((sum, s) => sum + s.seconds, 0).toFixed(1);
  if (!proof) return `${endpoint}/${entity}: not proved (model ${model}; stopped at ${stages.at(-1)?.name ?? 'fetch'})`;
  const cached = stages.find((s) => s.name === 'proof')?.cached ? ', unchanged since its last proof' : '';
  const memory = `${Math.round(proof.peakMemoryBytes / 2 ** 20)} MiB`;
  const wall = proof.sandboxed ? '' : ', without a sandbox';
  const outcome = isOnlyLoaded(proof.cases) ? 'only loaded' : 'proved';
  const head = `${endpoint}/${entity}: ${outcome} (model ${model}, Python ${proof.python}, ${memory}, ${seconds} s${cached}${wall})`;
  const workers = proof.workers && `${renderModelLoading(proof.workers)} (${renderBytes(proof.workers.memoryBytes)})`;
  const network = proof.network.map(
    (use) => `could ${isUnreachable(use) ? 'not reach' : 'reach'} ${renderNetworkUse(use)}`,
  );
  return [head, ...(workers ? [workers] : []), ...network, ...proof.cases.map(renderCase)].join('\n    ');
}

function renderCase(shown: Proof['cases'][number]): string {
  const { origin, answer, failure } = shown;
  if (origin === 'example' && answer !== undefined) return answer;
  return `${describeCase(shown)}: ${answer ?? failure ?? ''}`;
}
