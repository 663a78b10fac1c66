/**
 * Standard library modules that exist only up to a Python version. Excludes names that people commonly give their own
 * files, such as `parser`.
 */
const LAST_VERSIONS: Readonly<Record<string, readonly string[]>> = {
  '3.11': ['asynchat', 'asyncore', 'distutils', 'imp', 'smtpd'],
  '3.12': `aifc audioop cgi cgitb crypt imghdr lib2to3 mailcap nntplib ossaudiodev sndhdr spwd sunau telnetlib uu
    xdrlib`.split(/\s+/),
};
const FIRST_VERSIONS: Readonly<Record<string, readonly string[]>> = {
  '3.9': ['graphlib', 'zoneinfo'],
  '3.11': ['tomllib'],
  '3.14': ['annotationlib'],
};

/** The Python versions whose standard library has a module: `3.11 or older`. Undefined if not in the tables. */
export function findPythonsWith(module: string): string | undefined {
  const find = (table: typeof LAST_VERSIONS) => Object.keys(table).find((version) => table[version]?.includes(module));
  const [last, first] = [find(LAST_VERSIONS), find(FIRST_VERSIONS)];
  if (last !== undefined) return `${last} or older`;
  return first === undefined ? undefined : `${first} or newer`;
}
