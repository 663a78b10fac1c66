/** Said by the resource's name, or of no use to a reader. */
const QUIET = /^(name|endpoint|lock|model\.(uri|digest))$/;

/** What a person wants to read of a planned resource: of one that comes or goes as a whole, nothing. */
export function toldDifferences<D extends { readonly path: string }>(resource: {
  readonly operation: string;
  readonly differences: readonly D[];
}): readonly D[] {
  if (resource.operation === 'create' || resource.operation === 'delete') return [];
  return resource.differences.filter((d) => !QUIET.test(d.path));
}

/** `Revision` of `davit:local:Revision`. */
export function resourceKind(type: string): string {
  return type.split(':').at(-1) ?? type;
}
