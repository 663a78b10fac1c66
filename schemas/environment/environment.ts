import { type Diagnostic, hasErrors, makeError, sortDiagnostics } from '../diagnostic.ts';
import type { KubernetesSettings } from './kubernetes-environment.ts';
import { checkKubernetes, completeKubernetesSettings } from './complete-kubernetes.ts';
import type { Policy } from './policy.ts';
import type { EnvironmentRegistry } from './registry.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import type { ParsedYaml } from '../yaml/parsed-yaml.ts';
import {
  environmentFile,
  type EnvironmentFile,
  type KubernetesEnvironmentFile,
  type LocalEnvironmentFile,
} from './environment-file.ts';

/** An environment that endpoints are deployed to, with every default filled in. */
export type Environment = LocalEnvironment | KubernetesEnvironment;

interface EnvironmentBase {
  readonly name: string;
  readonly file: string;
  readonly autoscaling: { readonly idleSeconds: number; readonly scaleDownSeconds: number };
  /** How severe each kind of finding is here. A kind that is absent has its default. */
  readonly policy: Policy;
  /** Undefined: the registry of the environment variables of MLflow. */
  readonly registry?: EnvironmentRegistry | undefined;
}

export interface LocalEnvironment extends EnvironmentBase {
  readonly target: 'local';
  readonly gateway: { readonly port: number | undefined };
}

export interface KubernetesEnvironment extends EnvironmentBase, KubernetesSettings {
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

function completeLocal(value: LocalEnvironmentFile, file: string): LocalEnvironment {
  return {
    name: value.name,
    file,
    target: 'local',
    gateway: { port: value.gateway?.port },
    autoscaling: completeAutoscaling(value),
    ...completeRules(value, file),
  };
}

function completeKubernetes(value: KubernetesEnvironmentFile, file: string): KubernetesEnvironment {
  const { name, target } = value;
  const settings = completeKubernetesSettings(value);
  return { name, file, target, ...settings, autoscaling: completeAutoscaling(value), ...completeRules(value, file) };
}

function completeRules({ policy, registry }: EnvironmentFile, file: string): Pick<Environment, 'policy' | 'registry'> {
  return { policy: policy ?? {}, registry: registry && { uri: registry.uri, file } };
}

function completeAutoscaling({
  autoscaling: given,
}: LocalEnvironmentFile | KubernetesEnvironmentFile): Environment['autoscaling'] {
  return { idleSeconds: given?.idle_seconds ?? 1800, scaleDownSeconds: given?.scale_down_seconds ?? 300 };
}
