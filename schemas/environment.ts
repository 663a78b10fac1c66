import { z } from 'zod';
import { type Diagnostic, makeError } from './diagnostic.ts';
import type { Endpoint, WorkloadType } from './endpoint.ts';
import type { KubernetesPlace } from './kubernetes-environment.ts';
import { parseYaml } from './parse-yaml.ts';

const seconds = z.number().positive('expected more than 0').max(86_400, 'expected 86400 (a day) or less');

const environmentFile = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, 'expected 1 to 31 small letters, digits or "-"')
    .describe('Name of the environment, and of this file'),
  target: z
    .literal('local', 'expected local (the Kubernetes target comes next)')
    .describe('The kind of engine endpoints are deployed to'),
  gateway: z
    .strictObject({
      port: z
        .int()
        .min(1, 'expected 1 to 65535')
        .max(65_535, 'expected 1 to 65535')
        .optional()
        .describe('Port on 127.0.0.1; default: a free one, kept'),
    })
    .optional(),
  autoscaling: z
    .strictObject({
      idle_seconds: seconds
        .optional()
        .describe('After so long without a request an entity with scale_to_zero_enabled stops; default 1800'),
      scale_down_seconds: seconds.optional().describe('One replica less per so long of lower traffic; default 300'),
    })
    .optional(),
});

/** A place endpoints are deployed to, with every default in it. */
export type Environment = LocalEnvironment | KubernetesEnvironment;

interface AnyEnvironment {
  readonly name: string;
  readonly file: string;
  readonly autoscaling: { readonly idleSeconds: number; readonly scaleDownSeconds: number };
}

export interface LocalEnvironment extends AnyEnvironment {
  readonly target: 'local';
  readonly gateway: { readonly port: number | undefined };
}

export interface KubernetesEnvironment extends AnyEnvironment, KubernetesPlace {
  readonly target: 'kubernetes';
}

export interface ParsedEnvironment {
  readonly environment: Environment | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

const LOCAL_WORKLOAD_TYPES: readonly WorkloadType[] = ['CPU'];

/** `environments/NAME.yaml` → Environment, or what is wrong with it. */
export function parseEnvironment(text: string, file: string): ParsedEnvironment {
  const { value, diagnostics, locate } = parseYaml(text, file, environmentFile);
  if (!value) return { environment: undefined, diagnostics };
  const last = file.split(/[\\/]/).at(-1) ?? '';
  if (last !== `${value.name}.yaml`) {
    const message = last.endsWith('.yaml')
      ? `Cannot accept "${value.name}" as the name in ${file}: expected "${last.slice(0, -'.yaml'.length)}"`
      : `Cannot use ${file} as an environment file: expected the name ${value.name}.yaml`;
    const wrong = makeError('name-mismatch', locate(['name']), message, 'Rename the file or the environment');
    return { environment: undefined, diagnostics: [wrong] };
  }
  const environment: Environment = {
    name: value.name,
    file,
    target: value.target,
    gateway: { port: value.gateway?.port },
    autoscaling: {
      idleSeconds: value.autoscaling?.idle_seconds ?? 1800,
      scaleDownSeconds: value.autoscaling?.scale_down_seconds ?? 300,
    },
  };
  return { environment, diagnostics: [] };
}

/** What an endpoint asks for that the environment does not have. */
export function checkAgainstEnvironment(endpoint: Endpoint, environment: Environment): readonly Diagnostic[] {
  return endpoint.entities
    .filter((e) => !LOCAL_WORKLOAD_TYPES.includes(e.workloadType))
    .map((e) =>
      makeError(
        'unavailable-workload-type',
        e.place,
        `Cannot run "${e.name}" on ${e.workloadType} in environment "${environment.name}": expected ${LOCAL_WORKLOAD_TYPES.join(', ')}`,
        `Change workload_type, or deploy to another environment`,
      ),
    );
}

export const environmentSchema = environmentFile;
