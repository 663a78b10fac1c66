import type { Diagnostic } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import { readLock } from '../schemas/read-declared.ts';
import { renderBytes } from '../schemas/values/quantity.ts';
import { renderModelLoading } from '../schemas/endpoint/worker-mode.ts';
import { named, type Progress } from '../system/progress.ts';
import { machineWidth, sideBySide } from '../system/side-by-side.ts';
import { type EntityValidation, validateEndpoint, type Validation } from '../validation/validate-endpoint.ts';
import { validateModel } from '../validation/validate-model.ts';
import { type Command, type Context, type Outcome, UsageError } from './command.ts';
import { textOption } from './parse-arguments.ts';
import { ENDPOINTS_OPTION, projectPlace, selectEndpoints } from './select-endpoints.ts';

export const validate: Command = {
  summary: 'Prove the models: virtualenv from the lock, prediction on their own example, signature',
  usage: '[NAME…]',
  help: 'What has been proved is not proved again.\n\n  davit validate iris\n  davit validate --model path/to/model     a model that no endpoint names',
  options: {
    ...ENDPOINTS_OPTION,
    model: { type: 'string', value: 'PATH|URI', help: 'Validate this model instead of endpoints' },
  },
  args: { min: 0, max: Infinity },
  run: runValidate,
};

async function runValidate(context: Context): Promise<Outcome> {
  const model = textOption(context.options, 'model');
  if (model === undefined) {
    const { endpoints, diagnostics } = await selectEndpoints(context);
    const validations = await sideBySide(endpoints, machineWidth(), (e) =>
      validateDeclared(e, context, named(context.progress, e.name)),
    );
    return makeOutcome(validations, diagnostics);
  }
  if (context.args.length > 0)
    throw new UsageError(`Cannot validate both "${context.args.join(' ')}" and --model: expected one or the other`);
  const { cwd, progress, signal } = context;
  return makeOutcome([await validateModel(model, { cwd, progress, signal })], []);
}

/** Validates an endpoint with the lock beside it; `until` stops before the model is run. */
export async function validateDeclared(
  endpoint: Endpoint,
  context: Pick<Context, 'root' | 'options' | 'declared' | 'signal'>,
  progress: Progress,
  until?: 'lock',
): Promise<Validation> {
  const { value, diagnostics } = await readLock(projectPlace(context), endpoint.name);
  const unreadable = diagnostics.filter((d) => d.code !== 'lock-missing');
  if (unreadable.length > 0) return { endpoint: endpoint.name, entities: [], diagnostics: unreadable };
  return validateEndpoint(endpoint, {
    root: context.root,
    lock: value,
    progress,
    signal: context.signal,
    ...(until && { until }),
  });
}

function makeOutcome(validations: readonly Validation[], diagnostics: readonly Diagnostic[]): Outcome {
  return {
    diagnostics: [...diagnostics, ...validations.flatMap((v) => v.diagnostics)],
    result: { endpoints: validations.map(({ endpoint, entities }) => ({ endpoint, entities })) },
    text: validations.flatMap((v) => v.entities.map((e) => renderEntity(v.endpoint, e))).join('\n'),
  };
}

function renderEntity(endpoint: string, { entity, model, stages, proof }: EntityValidation): string {
  const seconds = stages.reduce((sum, s) => sum + s.seconds, 0).toFixed(1);
  if (!proof)
    return `${endpoint}/${entity}: not proved (model ${model}; stopped at ${stages.at(-1)?.name ?? 'the lock'})`;
  const cached = stages.find((s) => s.name === 'proof')?.cached ? ', proved before' : '';
  const memory = `${Math.round(proof.peakMemoryBytes / 2 ** 20)} MiB`;
  const head = `${endpoint}/${entity}: proved (model ${model}, Python ${proof.python}, ${memory}, ${seconds} s${cached})`;
  const workers = proof.workers && `${renderModelLoading(proof.workers)} (${renderBytes(proof.workers.memoryBytes)})`;
  return [head, workers, proof.answer].flatMap((text) => (text === undefined ? [] : [text])).join('\n    ');
}
