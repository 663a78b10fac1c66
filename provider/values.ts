/** What the engine sends, at preview, for a value that only the update will know. */
export const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

const SIGNATURE = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';

/** Whether a value, at any depth, holds one that is not known yet. */
export function hasUnknowns(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasUnknowns);
}

/** A value in a provider's answer that the engine is to encrypt, and never to show. */
export function makeSecret(value: unknown): object {
  return { [SIGNATURE]: SECRET, value };
}
