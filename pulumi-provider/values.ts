/** The engine's marker, in a preview, for a value that is known only after the update. */
export const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

const SECRET_MARKER_KEY = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';

/** Whether a value contains an unknown value at any depth. */
export function hasUnknowns(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasUnknowns);
}

/** Wraps a value in a provider's response, so that the engine encrypts it and never shows it. */
export function makeSecret(value: unknown): object {
  return { [SECRET_MARKER_KEY]: SECRET, value };
}
