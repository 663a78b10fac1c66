/** uv's variables that hold addresses of indexes. */
const VARIABLES = ['UV_DEFAULT_INDEX', 'UV_INDEX', 'UV_INDEX_URL', 'UV_EXTRA_INDEX_URL'];

/**
 * The address of a file of an index without its user and password, and the header that has them. They come from the
 * address itself, or from uv's variables for an index of the same origin: in its address, or as `UV_INDEX_NAME_PASSWORD`.
 */
export function findIndexLogin(
  url: string,
  variables: NodeJS.ProcessEnv,
): { readonly address: string; readonly headers: Readonly<Record<string, string>> } {
  const wanted = new URL(url);
  const login = readLogin(wanted) ?? listIndexes(variables).find(({ origin }) => origin === wanted.origin)?.login;
  wanted.username = wanted.password = '';
  return { address: wanted.href, headers: login === undefined ? {} : { authorization: `Basic ${btoa(login)}` } };
}

function listIndexes(variables: NodeJS.ProcessEnv): readonly { readonly origin: string; readonly login: string }[] {
  const written = VARIABLES.flatMap((name) => (variables[name] ?? '').split(/\s+/)).filter(Boolean);
  return written.flatMap((text) => {
    const [, name, address = ''] = /^(?:([A-Za-z0-9._-]+)=)?(.*)$/.exec(text) ?? [];
    if (!URL.canParse(address)) return [];
    const url = new URL(address);
    const login = readNamedLogin(name, variables) ?? readLogin(url);
    return login === undefined ? [] : [{ origin: url.origin, login }];
  });
}

function readNamedLogin(name: string | undefined, variables: NodeJS.ProcessEnv): string | undefined {
  if (name === undefined) return undefined;
  const prefix = `UV_INDEX_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
  const [user, password] = [variables[`${prefix}_USERNAME`], variables[`${prefix}_PASSWORD`]];
  return user === undefined && password === undefined ? undefined : `${user ?? ''}:${password ?? ''}`;
}

function readLogin({ username, password }: URL): string | undefined {
  return username === '' ? undefined : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
}
