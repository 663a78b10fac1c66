import type { EnvironmentRequest, ProjectRequest } from '../app/project-request.ts';
import type { Diagnostic } from '../schemas/diagnostic.ts';
import type { Environment } from '../schemas/environment/environment.ts';
import { type ReadResult, type ProjectFolders, readEnvironment } from '../schemas/read-project.ts';
import { requireKubernetesPackages } from '../system/kubernetes-packages.ts';
import { type Context, environmentName, type Outcome } from './command.ts';

/** The request of a verb about the project. */
export function makeRequest(context: Pick<Context, 'root' | 'options' | 'progress' | 'signal'>): ProjectRequest {
  const { options, progress, signal } = context;
  return {
    place: projectPlace(context),
    progress,
    signal,
    withoutSandbox: readSandboxOption(options),
  };
}

/** Whether models run with the user's own rights; undefined: the option is not given. */
export function readSandboxOption(options: Context['options']): boolean | undefined {
  return options['without-sandbox'] === true || undefined;
}

/** The folders of the project's files, with the option `--endpoints` applied. */
export function projectPlace({ root, options }: Pick<Context, 'root' | 'options'>): ProjectFolders {
  const { endpoints } = options;
  return { root, endpoints: typeof endpoints === 'string' ? endpoints.replace(/(?<!\/)\/+$/, '') : 'endpoints' };
}

/** Reads the selected environment. */
export async function readSelectedEnvironment(context: Context): Promise<ReadResult<Environment>> {
  const read = await readEnvironment(projectPlace(context), environmentName(context));
  if (read.value?.target === 'kubernetes') requireKubernetesPackages();
  return read;
}

/** Runs a verb about one environment, or returns the errors in the environment's file. */
export async function withEnvironment(
  context: Context,
  work: (request: EnvironmentRequest, warnings: readonly Diagnostic[]) => Promise<Outcome>,
): Promise<Outcome> {
  const { value: environment, diagnostics } = await readSelectedEnvironment(context);
  if (!environment) return outcomeOfErrors(diagnostics);
  return work({ ...makeRequest(context), environment }, diagnostics);
}

/** The outcome of a verb that could not begin, because files have errors. */
export function outcomeOfErrors(diagnostics: readonly Diagnostic[]): Outcome {
  return { diagnostics, result: null, text: '' };
}
