import { stringify } from 'yaml';

/** How a text stands in YAML. */
export interface ScalarStyle {
  /** Inside of `[]` or `{}`. */
  readonly flow: boolean;
  /** In quotes, also where it needs none. */
  readonly quoted: boolean;
}

/** A text as a YAML scalar of one line: without quotes where it can be. */
export function renderScalar(text: string, { flow, quoted }: ScalarStyle): string {
  const isPlain = !quoted && stringify(text, { lineWidth: 0 }).trimEnd() === text && !(flow && /[,[\]{}]/.test(text));
  return isPlain ? text : JSON.stringify(text);
}
