/** The message of whatever was thrown, which does not have to be an Error. */
export function readErrorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
