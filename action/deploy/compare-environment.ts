import { catchOutage } from '../../app/catch-outage.ts';
import { previewEndpoint, renderPlan } from '../../app/deploy/preview-endpoints.ts';
import { selectNames } from '../../app/select-endpoints.ts';
import { listStacks } from '../../engine/stacks.ts';
import { hasErrors, type Diagnostic } from '../../schemas/diagnostic.ts';
import { parseStackName } from '../../schemas/values/names.ts';
import { readEndpoint } from '../../schemas/read-project.ts';
import { machineConcurrency, mapConcurrent } from '../../system/map-concurrent.ts';
import type { Deploying } from './deployment-context.ts';

/** How a deployed endpoint compares with the merged file. */
export interface EndpointComparison {
  readonly endpoint: string;
  /** `unknown`: it could not be compared. */
  readonly kind: 'same' | 'differs' | 'unknown';
  readonly words: string;
  /** What deploying would change, or why the comparison failed. */
  readonly lines: readonly string[];
}

export interface EnvironmentComparison {
  readonly environment: string;
  readonly endpoints: readonly EndpointComparison[];
}

/** Refreshes the endpoints of an environment and previews them against the merged files. Changes nothing. */
export async function compareEnvironment(deploying: Deploying): Promise<EnvironmentComparison> {
  const { request, given } = deploying;
  const names = await selectNames(request.place, given);
  const compared = await mapConcurrent(names, machineConcurrency(), (name) => compareEndpoint(name, deploying));
  const orphans = given.length > 0 ? [] : await findOrphans(names, deploying);
  return { environment: request.environment.name, endpoints: [...compared, ...orphans] };
}

async function compareEndpoint(name: string, { request, open }: Deploying): Promise<EndpointComparison> {
  const { value: endpoint, diagnostics } = await readEndpoint(request.place, name);
  if (!endpoint) return unknown(name, formatDiagnostics(diagnostics));
  const { value, outage } = await catchOutage(request.signal, async () =>
    previewEndpoint(endpoint, await open(), { ...request, refresh: true }),
  );
  if (!value) return unknown(name, outage.split('\n'));
  if (hasErrors(value.diagnostics)) return unknown(name, formatDiagnostics(value.diagnostics));
  const { verdict } = value.plan;
  if (verdict.kind === 'no-change') return { endpoint: name, kind: 'same', words: 'as merged', lines: [] };
  const lines = renderPlan(name, value.plan).trimEnd().split('\n').slice(1);
  return { endpoint: name, kind: 'differs', words: verdict.words, lines };
}

/** Endpoints that are deployed but have no file. */
async function findOrphans(names: readonly string[], { open, request: { environment } }: Deploying) {
  const stacks = (await listStacks(await open())).map(parseStackName);
  return stacks.flatMap((stack): readonly EndpointComparison[] => {
    if (stack?.kind !== 'endpoint' || stack.environment !== environment.name || names.includes(stack.endpoint))
      return [];
    return [{ endpoint: stack.endpoint, kind: 'differs', words: 'it is deployed, but has no file', lines: [] }];
  });
}

function unknown(endpoint: string, lines: readonly string[]): EndpointComparison {
  return { endpoint, kind: 'unknown', words: 'could not be compared', lines };
}

function formatDiagnostics(diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics.map((d) => `${d.file}:${d.line}:${d.column} ${d.severity} ${d.code}: ${d.message}`);
}
