import { type Diagnostic, hasErrors, makeError, sortDiagnostics } from '../diagnostic.ts';
import type { KubernetesSettings } from './kubernetes-environment.ts';
import { checkKubernetes, completeKubernetesSettings } from './complete-kubernetes.ts';
import type { Policy } from './policy.ts';
import type { EnvironmentRegistry } from './model-registry.ts';
import { type DocumentRules, parseYaml } from '../yaml/parse-yaml.ts';
import type { ParsedYaml, Path } from '../yaml/parsed-yaml.ts';
import { readOwn } from '../values/read-own.ts';
import { suggestValue } from '../yaml/suggest-value.ts';
import {
  environmentFile,
  type EnvironmentFile,
  type KubernetesEnvironmentFile,
  localEnvironmentFile,
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
  const { value, rest, diagnostics, locate } = parseYaml(text, file, environmentFile, ENVIRONMENT_RULES);
  const readable = value ?? rest?.value;
  const isNameWrong = rest?.wrong.some(isName) === true;
  const rules = readable
    ? [...(isNameWrong ? [] : checkFileName(readable, file, locate)), ...checkTarget(readable, locate)]
    : [];
  const all = sortDiagnostics([...diagnostics, ...rules]);
  if (!value || hasErrors(all)) return { environment: undefined, diagnostics: all };
  const environment = value.target === 'local' ? completeLocal(value, file) : completeKubernetes(value, file);
  return { environment, diagnostics: all };
}

/** A wrong name or target does not hide the mistakes in other fields. */
const ENVIRONMENT_RULES: DocumentRules = {
  isWritten: true,
  suggest: (path, value) => (isTarget(path) ? suggestTarget(value) : undefined),
  standIn: (path, root) => {
    if (isTarget(path)) return guessTarget(root);
    return path.length === 1 ? readOwn(STAND_INS, String(path[0])) : undefined;
  },
};

const IMAGE = `x.example/x@sha256:${'0'.repeat(64)}`;
const STAND_INS: Readonly<Record<string, unknown>> = {
  name: 'x',
  images: { registry: 'x.example/x', bases: { 3.11: IMAGE }, node: IMAGE, envoy: IMAGE },
};

function isName(path: Path): boolean {
  return path.length === 1 && path[0] === 'name';
}

function isTarget(path: Path): boolean {
  return path.length === 1 && path[0] === 'target';
}

const TARGETS = ['local', 'kubernetes'];
/** What people call a Kubernetes. */
const KUBERNETES = /^(?:k8s|k3s|kube|knative|kind|eks|gke|aks|openshift|cluster)$/i;

function suggestTarget(value: unknown): string | undefined {
  if (typeof value === 'string' && KUBERNETES.test(value.trim())) return 'Write kubernetes';
  return suggestValue(value, TARGETS);
}

/** The target whose fields the file has. */
function guessTarget(root: unknown): string {
  const fields = typeof root === 'object' && root !== null ? Object.keys(root) : [];
  const isLocal = fields.every((field) => field in localEnvironmentFile.shape);
  return isLocal ? 'local' : 'kubernetes';
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
