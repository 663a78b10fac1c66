import { compareText, type Difference } from '../values/compare-text.ts';

interface ResourceChange<O extends string> {
  readonly operation: O;
  readonly type: string;
  readonly name: string;
  readonly differences: readonly Difference[];
}

/** A planned resource, summarised for display. */
export interface ResourceSummary<O extends string> {
  readonly operation: O;
  /** Last part of the type: `Revision` from `davit:local:Revision`. */
  readonly kind: string;
  readonly name: string;
  readonly differences: readonly Difference[];
}

/** Properties that repeat the resource's name or do not help a reader. */
const HIDDEN_PROPERTY = /^(name|endpoint|lock|model\.(uri|digest))$/;
/** Annotations for Pulumi's provider, not for the cluster. */
const PROVIDER_ANNOTATION = /^metadata\.annotations(\["pulumi\.com\/|\.pulumi\.com\/)/;
/** Autoscaling annotations of a revision. Their last part is clear without the prefix. */
const AUTOSCALING_ANNOTATION = /^metadata\.annotations\["autoscaling\.knative\.dev\/([^"]+)"\]$/;
/** Properties of a revision that only repeat its name. */
const NAME = /^(spec\.template\.)?metadata\.name$/;
const CONFIGURATION = 'kubernetes:serving.knative.dev/v1:Configuration';
const REVISION_PATCH = 'kubernetes:serving.knative.dev/v1:RevisionPatch';

/** Summarises the changed resources of a plan. Merges the objects of one Knative revision into one summary. */
export function summarizeResources<O extends string>(
  resources: readonly ResourceChange<O>[],
): readonly ResourceSummary<O>[] {
  const changed = resources.filter((r) => r.operation !== 'same');
  const groups = Map.groupBy(changed, (r) => (isKnative(r) ? `Revision ${revisionOf(r)}` : r));
  // A Configuration comes before the patch of its bounds, so the first resource has the operation of the revision.
  return [...groups.values()].map((together) => {
    const [first, ...rest] = together.map(summarizeResource) as [ResourceSummary<O>, ...ResourceSummary<O>[]];
    return { ...first, differences: [first, ...rest].flatMap((r) => r.differences) };
  });
}

function isKnative({ type }: Pick<ResourceChange<string>, 'type'>): boolean {
  return type === CONFIGURATION || type === REVISION_PATCH;
}

function revisionOf({ type, name }: Pick<ResourceChange<string>, 'type' | 'name'>): string {
  return type === REVISION_PATCH ? name.replace(/-bounds$/, '') : name;
}

function summarizeResource<O extends string>(resource: ResourceChange<O>): ResourceSummary<O> {
  const { operation, type } = resource;
  const kind = isKnative(resource) ? 'Revision' : (type.split(':').at(-1) ?? type);
  return { operation, kind, name: revisionOf(resource), differences: selectDifferences(resource) };
}

/** Returns no differences for a resource that is created or deleted. */
function selectDifferences(resource: ResourceChange<string>): readonly Difference[] {
  const { operation, differences } = resource;
  if (operation === 'create' || operation === 'delete') return [];
  return differences
    .filter(
      ({ path }) =>
        !HIDDEN_PROPERTY.test(path) && !PROVIDER_ANNOTATION.test(path) && !(isKnative(resource) && NAME.test(path)),
    )
    .map((d) => ({ ...d, path: d.path.replace(AUTOSCALING_ANNOTATION, '$1') }))
    .flatMap(compareText);
}
