/** A Kubernetes object with the fields that every kind has. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
  readonly [field: string]: unknown;
}

export interface ObjectMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** The meaning of a type token: the kind of the objects, and whether it patches some of their fields. */
export interface ObjectType {
  readonly apiVersion: string;
  readonly kind: string;
  readonly patch: boolean;
}

/** Types of the npm package that are no objects but run as programs of the real plugin. */
const NON_OBJECT_TYPES = /^(helm\.sh|kustomize|yaml)(\/|$)/;

/** `kubernetes:apps/v1:Deployment` → its kind; undefined: not a Kubernetes object. */
export function parseObjectType(type: string): ObjectType | undefined {
  const [first, version, name, ...more] = type.split(':');
  if (first !== 'kubernetes' || !version || !name || more.length > 0 || NON_OBJECT_TYPES.test(version))
    return undefined;
  const patch = name.endsWith('Patch');
  return { apiVersion: version.replace(/^core\//, ''), kind: patch ? name.slice(0, -'Patch'.length) : name, patch };
}

/** `NAMESPACE/NAME`, or only the name without a namespace. */
export function formatObjectId({ metadata: { name, namespace } }: KubernetesObject): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** Text for messages: `Deployment "models/iris"`. */
export function describeObject(object: KubernetesObject): string {
  return `${object.kind} "${formatObjectId(object)}"`;
}

/** `apps/Deployment`, whatever the version. */
export function formatGroupKind({ apiVersion, kind }: Pick<KubernetesObject, 'apiVersion' | 'kind'>): string {
  return `${apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''}/${kind}`;
}

/** The value of one of Pulumi's annotations, such as `pulumi.com/skipAwait`. */
export function readPulumiAnnotation(object: KubernetesObject, name: string): string | undefined {
  return (object as Partial<KubernetesObject>).metadata?.annotations?.[`pulumi.com/${name}`];
}

type MetadataChange = { readonly [Name in keyof ObjectMetadata]?: ObjectMetadata[Name] | undefined };

/** The same object with other metadata; undefined values are removed. */
export function withMetadata(object: KubernetesObject, change: MetadataChange): KubernetesObject {
  const metadata = Object.entries({ ...object.metadata, ...change }).filter(([, value]) => value !== undefined);
  return { ...object, metadata: Object.fromEntries(metadata) as unknown as ObjectMetadata };
}

/** Only the fields that identify the object. */
export function pickIdentity({ apiVersion, kind, metadata: { name, namespace } }: KubernetesObject): KubernetesObject {
  return { apiVersion, kind, metadata: { name, ...(namespace && { namespace }) } };
}
