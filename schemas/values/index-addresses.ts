/** uv's variables that hold addresses of package indexes, or of pages with links to packages. */
const INDEX_VARIABLES = [
  'UV_DEFAULT_INDEX',
  'UV_INDEX',
  'UV_INDEX_URL',
  'UV_EXTRA_INDEX_URL',
  'UV_FIND_LINKS',
] as const;

/** An index that a variable of uv names. */
export interface IndexAddress {
  /** `acme` of `acme=https://pypi.acme.example/simple` */
  readonly name: string | undefined;
  /** As it is written: not always the address of a server. */
  readonly address: string;
}

/** Lists the indexes of uv's variables. */
export function listIndexAddresses(variables: NodeJS.ProcessEnv): readonly IndexAddress[] {
  const written = INDEX_VARIABLES.flatMap((variable) =>
    (variables[variable] ?? '').split(variable === 'UV_FIND_LINKS' ? /[\s,]+/ : /\s+/),
  );
  return written.filter(Boolean).map((text) => {
    const [, name, address = ''] = /^(?:([A-Za-z0-9._-]+)=)?(.*)$/.exec(text) ?? [];
    return { name, address };
  });
}

/** The user and password of an address, as they are written: `ci:secret`. Undefined: it has none. */
export function findWrittenLogin(address: string): string | undefined {
  // The path of a right address can have "@", and a wrong address can have "/" in its password.
  const pattern = URL.canParse(address) ? /^[A-Za-z0-9+.-]+:\/\/([^/?#]+)@/ : /^[A-Za-z0-9+.-]*:?\/\/(.+)@/;
  return pattern.exec(address)?.[1];
}

/** Removes users and passwords from the addresses of uv's variables. */
export function removeIndexLogins(variables: NodeJS.ProcessEnv): void {
  const logins = listIndexAddresses(variables).flatMap(({ address }) => findWrittenLogin(address) ?? []);
  for (const variable of INDEX_VARIABLES)
    for (const login of logins) {
      const value = variables[variable];
      if (value !== undefined) variables[variable] = value.replaceAll(`//${login}@`, '//');
    }
}

/** Replaces users and passwords of uv's variables in a text of uv, which repeats an address that it cannot read. */
export function maskIndexLogins(text: string, variables: NodeJS.ProcessEnv): string {
  const logins = listIndexAddresses(variables).flatMap(({ address }) => findWrittenLogin(address) ?? []);
  return logins.reduce((masked, login) => masked.replaceAll(`${login}@`, '…@'), text);
}

/** Decodes a user or a password of an address. A "%" that begins no code stands for itself. */
export function decodeLogin(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
