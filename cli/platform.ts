import { destroyStack, previewDestroyStack, previewStack, upStack } from '../engine/run-pulumi.ts';
import type { Outcome as EngineOutcome } from '../engine/plan/outcome.ts';
import { openProject, type PulumiProject } from '../engine/project.ts';
import { makeError } from '../schemas/diagnostic.ts';
import { connectCluster } from '../kubernetes/client/connect.ts';
import { listDependents } from '../kubernetes/client/list-dependents.ts';
import type { KubernetesEnvironment } from '../schemas/environment/environment.ts';
import { imagesStackName, PLATFORM, platformStackName } from '../schemas/values/names.ts';
import { readEnvironment } from '../schemas/read-declared.ts';
import { named } from '../system/progress.ts';
import { type Context, environmentName, type Outcome } from './command.ts';
import { addNotes } from './add-notes.ts';
import { ensurePlatformImages, listMissingPlatformImages } from './images.ts';
import { renderPlan } from './render-plan.ts';
import { projectPlace } from './select-endpoints.ts';
import { requireSucceeded } from './stack-failures.ts';

/** Whether `_platform` is among the names. The returned context has the other names. */
export function takePlatform(context: Context): { readonly context: Context; readonly platform: boolean } {
  const args = context.args.filter((name) => name !== PLATFORM);
  const platform = args.length < context.args.length;
  return { context: platform ? { ...context, args } : context, platform };
}

/** Joins the outcomes of the platform and of the endpoints. */
export function joinOutcomes(platform: Outcome, endpoints: Outcome): Outcome {
  return {
    ...endpoints,
    diagnostics: [...platform.diagnostics, ...endpoints.diagnostics],
    result: { platform: platform.result, ...(endpoints.result as object) },
    text: [platform.text, endpoints.text].filter((text) => text !== '').join('\n'),
  };
}

/** Deploys the shared parts of an environment. */
export async function upPlatform(context: Context): Promise<Outcome> {
  return withPlatform(context, async (project, stack, { environment, ...options }) => {
    await ensurePlatformImages({ context, project, environment, progress: options.progress });
    // Refresh, so that manual changes are reset.
    const outcome = await upStack(project, stack, { ...options, refresh: true });
    requireDone(stack, outcome, context);
    const { plan, outputs } = outcome;
    const lines = [`${PLATFORM}: ${plan.verdict.words}`, ...renderOutputs(outputs)];
    return {
      diagnostics: [],
      result: { environment: environmentName(context), plan, outputs },
      text: lines.join('\n'),
    };
  });
}

/** Previews the deployment of the shared parts. */
export async function previewPlatform(context: Context): Promise<Outcome> {
  return withPlatform(context, async (project, stack, options) => {
    const outcome = await previewStack(project, stack, { ...options, refresh: context.options['refresh'] === true });
    requireDone(stack, outcome, context);
    const missing = await listMissingPlatformImages(options.environment);
    const plan = addNotes(
      outcome.plan,
      missing.map((image) => `builds ${image}`),
    );
    return {
      diagnostics: [],
      result: { environment: environmentName(context), plan },
      text: renderPlan(PLATFORM, plan),
    };
  });
}

/** Removes the shared parts; refuses while endpoints are deployed. An adopted Knative stays. */
export async function downPlatform(context: Context, deployed: readonly string[]): Promise<Outcome> {
  return withPlatform(context, async (project, stack, options) => {
    const dependents = await listDependents(
      await connectCluster(options.environment.cluster, context.root, context),
      options.environment,
    );
    checkUnused(environmentName(context), [...new Set([...deployed, ...dependents])]);
    const there = (await previewDestroyStack(project, stack, options)).plan.resources.length > 0;
    requireDone(stack, await destroyStack(project, stack, options), context);
    const images = imagesStackName(PLATFORM); // the registry keeps the image
    requireDone(images, await destroyStack(project, images, options), context);
    return {
      diagnostics: [],
      result: { environment: environmentName(context), platform: there },
      text: there ? renderDown(options.environment) : `${PLATFORM}: was not deployed`,
    };
  });
}

function checkUnused(environment: string, dependents: readonly string[]): void {
  const [first] = dependents;
  if (first === undefined) return;
  const verb = dependents.length === 1 ? 'runs' : 'run';
  throw new Error(
    `Cannot take down the platform of "${environment}": ${dependents.join(', ')} ${verb} on it, expected nothing to; npx davit down ${first} --environment ${environment} comes first`,
  );
}

function renderDown({ namespace, platformNamespace }: KubernetesEnvironment): string {
  return [
    `${PLATFORM}: down`,
    `    The namespaces ${namespace} and ${platformNamespace} stay: there may be Secrets of yours in them (kubectl delete namespace ${namespace} ${platformNamespace})`,
  ].join('\n');
}

type PlatformOptions = Pick<Context, 'progress' | 'signal'> & { readonly environment: KubernetesEnvironment };

async function withPlatform(
  context: Context,
  work: (project: PulumiProject, stack: string, options: PlatformOptions) => Promise<Outcome>,
): Promise<Outcome> {
  const { progress, signal } = context;
  const name = environmentName(context);
  const { value, diagnostics } = await readEnvironment(projectPlace(context), name);
  if (!value) return { diagnostics, result: null, text: '' };
  if (value.target !== 'kubernetes') {
    const message = `Cannot deploy a platform to "${name}": its target is ${value.target}, which needs none, expected kubernetes`;
    const refused = makeError(
      'bad-value',
      { file: value.file, line: 1, column: 1 },
      message,
      'Name another environment',
    );
    return { diagnostics: [refused], result: null, text: '' };
  }
  const project = await openProject(context.root, { progress, signal });
  return work(project, platformStackName(name), {
    progress: named(progress, PLATFORM),
    signal,
    environment: value,
  });
}

function requireDone(stack: string, outcome: EngineOutcome, { signal }: Context): void {
  if (outcome.status !== 'succeeded') signal.throwIfAborted();
  requireSucceeded(stack, outcome);
}

function renderOutputs(outputs: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(outputs).map(
    ([name, value]) => `    ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
}
