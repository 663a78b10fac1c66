/** Where log lines go; tests replace it. */
export const sink = { write: (line: string): unknown => process.stdout.write(line) };

/** Writes a line of JSON. Callers must never pass a token: only users, endpoints and reasons. */
export function log(
  level: 'info' | 'warning' | 'error',
  what: string,
  more: Readonly<Record<string, unknown>> = {},
): void {
  sink.write(`${JSON.stringify({ time: new Date().toISOString(), level, what, ...more })}\n`);
}

/** Anything thrown → one sentence. */
export function describeError(e: unknown): string {
  if (!(e instanceof Error)) return String(e);
  const cause = e.cause instanceof Error ? `: ${e.cause.message}` : '';
  return `${e.message}${cause}`;
}
