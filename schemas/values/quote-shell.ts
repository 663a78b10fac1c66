/** Quotes one argument of a command that a user copies into a POSIX shell. */
export function quoteShell(text: string): string {
  return /^[\w%+:,./@=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
