import { z } from 'zod';
import { type Diagnostic, hasErrors, makeError, sortDiagnostics } from '../diagnostic.ts';
import type { KubernetesPlace } from './kubernetes-environment.ts';
import { checkKubernetes, completePlace } from './complete-kubernetes.ts';
import { kubernetesFields } from './kubernetes-environment-file.ts';
import { type ParsedYaml, parseYaml } from '../yaml/parse-yaml.ts';

const MAX_SECONDS = 86_400;
const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, 'expected 1 to 31 small letters, digits or "-"')
  .describe('Name of the environment, and of this file');

const seconds = z.number().positive('expected more than 0').max(MAX_SECONDS, `expected ${MAX_SECONDS} (a day) or less`);

const autoscaling = z
  .strictObject({
    idle_seconds: seconds
      .optional()
      .describe('After so long without a request an entity with scale_to_zero_enabled stops; default 1800'),
    scale_down_seconds: seconds.optional().describe('One replica less per so long of lower traffic; default 300'),
  })
  .optional();

const localFile = z.strictObject({
  name,
  target: z.literal('local').describe('The kind of engine endpoints are deployed to: this machine'),
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
  autoscaling,
});

const kubernetesFile = z.strictObject({
  name,
  target: z.literal('kubernetes').describe('The kind of engine endpoints are deployed to: Knative Serving'),
  ...kubernetesFields,
  autoscaling,
});

const environmentFile = z.discriminatedUnion('target', [localFile, kubernetesFile], 'expected local or kubernetes');

/** An environment that endpoints are deployed to, with every default filled in. */
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

/** Parses `environments/NAME.yaml` into an Environment, or returns all of its diagnostics. */
export function parseEnvironment(text: string, file: string): ParsedEnvironment {
  const { value, rest, diagnostics, locate } = parseYaml(text, file, environmentFile);
  const readable = value ?? rest?.value;
  const rules = readable ? [...checkFileName(readable, file, locate), ...checkTarget(readable, locate)] : [];
  const all = sortDiagnostics([...diagnostics, ...rules]);
  if (!value || hasErrors(all)) return { environment: undefined, diagnostics: all };
  const environment = value.target === 'local' ? completeLocal(value, file) : completeKubernetes(value, file);
  return { environment, diagnostics: all };
}

type Locate = ParsedYaml<unknown>['locate'];

function checkFileName({ name }: EnvironmentFile, file: string, locate: Locate): readonly Diagnostic[] {
  const last = file.split(/[\\/]/).at(-1) ?? '';
  if (last === `${name}.yaml`) return [];
  const message = last.endsWith('.yaml')
    ? `Cannot accept "${name}" as the name in ${file}: expected "${last.slice(0, -'.yaml'.length)}"`
    : `Cannot use ${file} as an environment file: expected the name ${name}.yaml`;
  return [makeError('name-mismatch', locate(['name']), message, 'Rename the file or the environment')];
}

function checkTarget(value: EnvironmentFile, locate: Locate): readonly Diagnostic[] {
  return value.target === 'kubernetes' ? checkKubernetes(value, locate) : [];
}

type EnvironmentFile = z.infer<typeof environmentFile>;
type LocalFile = z.infer<typeof localFile>;
export type KubernetesFile = z.infer<typeof kubernetesFile>;

function completeLocal(value: LocalFile, file: string): LocalEnvironment {
  return {
    name: value.name,
    file,
    target: 'local',
    gateway: { port: value.gateway?.port },
    autoscaling: completeAutoscaling(value),
  };
}

function completeKubernetes(value: KubernetesFile, file: string): KubernetesEnvironment {
  const { name, target } = value;
  return { name, file, target, ...completePlace(value), autoscaling: completeAutoscaling(value) };
}

function completeAutoscaling({ autoscaling: given }: LocalFile | KubernetesFile): Environment['autoscaling'] {
  return { idleSeconds: given?.idle_seconds ?? 1800, scaleDownSeconds: given?.scale_down_seconds ?? 300 };
}

export const environmentSchema = environmentFile;
