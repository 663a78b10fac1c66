/** A column, an object property or a parameter of a signature. Its fields are not validated. */
export type Column = Readonly<Record<string, unknown>>;

/** Types that MLflow treats as optional if the signature does not say. */
const COMPLEX = new Set(['array', 'object', 'map', 'any', 'sparkml_vector']);

export function isRequired({ required, type }: Column): boolean {
  return required === undefined || required === null ? !COMPLEX.has(String(type)) : required === true;
}

/** Whether values are not scalars. MLflow accepts such values in fewer forms. */
export function isComplex({ type }: Column): boolean {
  return COMPLEX.has(String(type));
}

/** Converts a value to a column. A value that is not an object becomes an empty column. */
export function toColumn(value: unknown): Column {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** MLflow treats every property of an object as required if the signature does not say. */
export function readProperties({ properties }: Column): ReadonlyMap<string, Column> {
  return new Map(Object.entries(toColumn(properties)).map(([name, c]) => [name, { required: true, ...toColumn(c) }]));
}
