/** A secret that an environment variable takes its value from. */
export interface SecretReference {
  readonly scope: string;
  readonly key: string;
}

/** `{{secrets/scope/key}}` → its parts; undefined for a plain value. */
export function parseSecretReference(value: string): SecretReference | undefined {
  const [, scope, key] = /^\{\{\s*secrets\/([\w.-]{1,128})\/([\w.-]{1,128})\s*\}\}$/.exec(value) ?? [];
  return scope !== undefined && key !== undefined ? { scope, key } : undefined;
}
