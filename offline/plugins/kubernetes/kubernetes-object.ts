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
  readonly uid?: string;
  readonly generation?: number;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** What a type token says: which objects, and whether it is they or some of their fields. */
export interface ObjectType {
  readonly apiVersion: string;
  readonly kind: string;
  readonly patch: boolean;
}

/** Types of the npm package that are no objects: programs of the real plugin. */
const PROGRAMS = /^(helm\.sh|kustomize|yaml)(\/|$)/;

/** `kubernetes:apps/v1:Deployment` → what it stands for; undefined: no object of Kubernetes. */
export function parseType(type: string): ObjectType | undefined {
  const [first, version, name, ...more] = type.split(':');
  if (first !== 'kubernetes' || !version || !name || more.length > 0 || PROGRAMS.test(version)) return undefined;
  const patch = name.endsWith('Patch');
  return { apiVersion: version.replace(/^core\//, ''), kind: patch ? name.slice(0, -'Patch'.length) : name, patch };
}

/** `NAMESPACE/NAME`, or the name of what is in none. */
export function idOf({ metadata: { name, namespace } }: KubernetesObject): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** For a person: `Deployment "models/iris"`. */
export function describeObject(object: KubernetesObject): string {
  return `${object.kind} "${idOf(object)}"`;
}

/** `apps/Deployment`, whatever the version. */
export function groupKind({ apiVersion, kind }: Pick<KubernetesObject, 'apiVersion' | 'kind'>): string {
  return `${apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''}/${kind}`;
}

/** The value of an annotation of Pulumi's, as in `pulumi.com/skipAwait`. */
export function pulumiAnnotation(object: KubernetesObject, name: string): string | undefined {
  return (object as Partial<KubernetesObject>).metadata?.annotations?.[`pulumi.com/${name}`];
}

type MetadataChange = { readonly [Name in keyof ObjectMetadata]?: ObjectMetadata[Name] | undefined };

/** The same object with other metadata; what is undefined is left out. */
export function withMetadata(object: KubernetesObject, change: MetadataChange): KubernetesObject {
  const metadata = Object.entries({ ...object.metadata, ...change }).filter(([, value]) => value !== undefined);
  return { ...object, metadata: Object.fromEntries(metadata) as unknown as ObjectMetadata };
}

/** Only which object it is. */
export function identityOf({ apiVersion, kind, metadata: { name, namespace } }: KubernetesObject): KubernetesObject {
  return { apiVersion, kind, metadata: { name, ...(namespace && { namespace }) } };
}
