/** One part of an address in a plan: `databricks_model_serving.this["eu"]` has a type, and a name with a key. */
export interface AddressStep {
  readonly name: string;
  /** As Terraform prints it: `"eu"` or `0`. */
  readonly key: string | undefined;
}

/** Splits at the dots that are outside quotes and brackets. */
export function splitAddress(address: string): readonly AddressStep[] {
  const steps: string[] = [''];
  let isQuoted = false;
  for (let i = 0; i < address.length; i++) {
    const character = address.charAt(i);
    if (character === '"') isQuoted = !isQuoted;
    const isEscape = isQuoted && character === '\\';
    if (character === '.' && !isQuoted) steps.push('');
    else steps.push(`${steps.pop() ?? ''}${isEscape ? address.slice(i, i + 2) : character}`);
    if (isEscape) i += 1;
  }
  return steps.map((step) => {
    const at = step.indexOf('[');
    return at > 0 && step.endsWith(']')
      ? { name: step.slice(0, at), key: step.slice(at + 1, -1) }
      : { name: step, key: undefined };
  });
}

export function joinAddress(steps: readonly AddressStep[]): string {
  return steps.map(({ name, key }) => (key === undefined ? name : `${name}[${key}]`)).join('.');
}
