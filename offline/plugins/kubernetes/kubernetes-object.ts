import { parseQuantity } from '../../../schemas/quantity.ts';

/** An object of Kubernetes, as far as every kind is the same. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
  readonly [field: string]: unknown;
}

export interface ObjectMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** How the engine writes a value that only the update will know. */
const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

/** Whether the update alone will know something of it. */
export function hasUnknowns(value: unknown): boolean {
  return JSON.stringify(value).includes(UNKNOWN);
}

/** `NAMESPACE/NAME`, or the name of what is in none. */
export function idOf({ metadata: { name, namespace } }: KubernetesObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** `apps/Deployment`, whatever the version. */
export function groupKind({ apiVersion, kind }: Pick<KubernetesObject, 'apiVersion' | 'kind'>): string {
  return `${apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''}/${kind}`;
}

/** The value of an annotation of Pulumi's, as in `pulumi.com/skipAwait`. */
export function pulumiAnnotation({ metadata }: KubernetesObject, name: string): string | undefined {
  return metadata.annotations?.[`pulumi.com/${name}`];
}

/** What the engine remembers of a live object: nothing of a Secret's data, nothing of who owns which field. */
export function makeOutputs({ metadata, ...rest }: KubernetesObject): KubernetesObject {
  const quiet = rest.kind === 'Secret' ? ['data', 'stringData'] : [];
  return { ...without(rest, quiet), metadata: without(metadata, ['managedFields']) };
}

function without<T extends object>(object: T, names: readonly string[]): T {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name))) as T;
}

/** The part of a live object that its inputs speak of: what a refresh compares. */
export function shapeByInputs(live: unknown, inputs: unknown): unknown {
  if (Array.isArray(live) && Array.isArray(inputs))
    return live.map((value: unknown, i) => (i < inputs.length ? shapeByInputs(value, inputs[i]) : value));
  if (typeof live === 'string' && typeof inputs === 'string') return isSameAmount(live, inputs) ? inputs : live;
  if (!isRecord(live) || !isRecord(inputs)) return live;
  const known = Object.keys(inputs).filter((key) => key in live || key.startsWith('__'));
  return Object.fromEntries(
    known.map((key) => [key, key in live ? shapeByInputs(live[key], inputs[key]) : inputs[key]]),
  );
}

/** The API server writes `1024Mi` as `1Gi`. */
function isSameAmount(a: string, b: string): boolean {
  const amount = parseQuantity(a);
  return amount !== undefined && amount === parseQuantity(b);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
