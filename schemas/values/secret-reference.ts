/** The secret that provides the value of an environment variable. */
export interface SecretReference {
  readonly scope: string;
  readonly key: string;
}

/** Parses `{{secrets/scope/key}}`. Returns undefined for a plain value. */
export function parseSecretReference(value: string): SecretReference | undefined {
  const [, scope, key] = /^\{\{\s*secrets\/([\w.-]{1,128})\/([\w.-]{1,128})\s*\}\}$/.exec(value) ?? [];
  return scope !== undefined && key !== undefined ? { scope, key } : undefined;
}

/** Whether a text has a secret reference or what looks like one: `{{secret/a/b}}`. */
export function looksLikeSecret(value: string): boolean {
  return /\{\{\s*(?:secrets|secret[/.])/i.test(value);
}

export const SECRET_HINT =
  'A secret reference is the whole value: its scope and key are letters, digits, "-", "_" and "."';
