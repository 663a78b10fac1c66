import { compareText, type Difference } from './compare-text.ts';

interface Planned<O extends string> {
  readonly operation: O;
  readonly type: string;
  readonly name: string;
  readonly differences: readonly Difference[];
}

/** A resource as a person wants to read of it. */
export interface ToldResource<O extends string> {
  readonly operation: O;
  /** `Revision` of `davit:local:Revision`. */
  readonly kind: string;
  readonly name: string;
  readonly differences: readonly Difference[];
}

/** Said by the resource's name, or of no use to a reader. */
const QUIET = /^(name|endpoint|lock|model\.(uri|digest))$/;
/** Said to Pulumi's provider, not to the cluster. */
const TO_PROVIDER = /^metadata\.annotations(\["pulumi\.com\/|\.pulumi\.com\/)/;
/** Bounds of a revision, which everybody knows without the rest of their name. */
const SCALING = /^metadata\.annotations\["autoscaling\.knative\.dev\/([^"]+)"\]$/;
/** Of a revision, what only repeats its name. */
const NAME = /^(spec\.template\.)?metadata\.name$/;
const CONFIGURATION = 'kubernetes:serving.knative.dev/v1:Configuration';
const REVISION_PATCH = 'kubernetes:serving.knative.dev/v1:RevisionPatch';

/** What a plan does to its resources. What makes one revision of Knative together is told as that revision. */
export function tellResources<O extends string>(resources: readonly Planned<O>[]): readonly ToldResource<O>[] {
  const changed = resources.filter((r) => r.operation !== 'same');
  const told = Map.groupBy(changed, (r) => (isKnative(r) ? `Revision ${revisionOf(r)}` : r));
  // A Configuration comes before its bounds, so the first one says what happens.
  return [...told.values()].map((together) => {
    const [first, ...rest] = together.map(tellResource) as [ToldResource<O>, ...ToldResource<O>[]];
    return { ...first, differences: [first, ...rest].flatMap((r) => r.differences) };
  });
}

function isKnative({ type }: Pick<Planned<string>, 'type'>): boolean {
  return type === CONFIGURATION || type === REVISION_PATCH;
}

function revisionOf({ type, name }: Pick<Planned<string>, 'type' | 'name'>): string {
  return type === REVISION_PATCH ? name.replace(/-bounds$/, '') : name;
}

function tellResource<O extends string>(resource: Planned<O>): ToldResource<O> {
  const { operation, type } = resource;
  const kind = isKnative(resource) ? 'Revision' : (type.split(':').at(-1) ?? type);
  return { operation, kind, name: revisionOf(resource), differences: tellDifferences(resource) };
}

/** Of a resource that comes or goes as a whole, nothing. */
function tellDifferences(resource: Planned<string>): readonly Difference[] {
  const { operation, differences } = resource;
  if (operation === 'create' || operation === 'delete') return [];
  return differences
    .filter(({ path }) => !QUIET.test(path) && !TO_PROVIDER.test(path) && !(isKnative(resource) && NAME.test(path)))
    .map((d) => ({ ...d, path: d.path.replace(SCALING, '$1') }))
    .flatMap(compareText);
}
