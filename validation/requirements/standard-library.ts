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

/** Whether a module that some version of Python has is also in this version's standard library. True if not in the tables. */
export function isInStandardLibrary(module: string, pythonVersion: string): boolean {
  const minor = Number(pythonVersion.split('.')[1]);
  const isOlder = (version: string) => minor < Number(version.split('.')[1]);
  const last = Object.keys(LAST_VERSIONS).find((version) => LAST_VERSIONS[version]?.includes(module));
  const first = Object.keys(FIRST_VERSIONS).find((version) => FIRST_VERSIONS[version]?.includes(module));
  return (last === undefined || isOlder(last) || last === `3.${minor}`) && (first === undefined || !isOlder(first));
}

/** The Python versions whose standard library has a module: `3.11 or older`. Undefined if not in the tables. */
export function findPythonsWith(module: string): string | undefined {
  const find = (table: typeof LAST_VERSIONS) => Object.keys(table).find((version) => table[version]?.includes(module));
  const [last, first] = [find(LAST_VERSIONS), find(FIRST_VERSIONS)];
  if (last !== undefined) return `${last} or older`;
  return first === undefined ? undefined : `${first} or newer`;
}
