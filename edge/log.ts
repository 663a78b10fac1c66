/** Where lines go; tests read them. */
export const sink = { write: (line: string): unknown => process.stdout.write(line) };

/** Writes a line of JSON. Nobody gives it a token: callers name users, endpoints and reasons. */
export function log(
  level: 'info' | 'warning' | 'error',
  what: string,
  more: Readonly<Record<string, unknown>> = {},
): void {
  sink.write(`${JSON.stringify({ time: new Date().toISOString(), level, what, ...more })}\n`);
}

/** One sentence of anything that was thrown. */
export function sentenceOf(e: unknown): string {
  if (!(e instanceof Error)) return String(e);
  const cause = e.cause instanceof Error ? `: ${e.cause.message}` : '';
  return `${e.message}${cause}`;
}
