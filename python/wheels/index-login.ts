import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { decodeLogin, listIndexAddresses } from '../../schemas/values/index-addresses.ts';
import { findNetrcLogin } from './parse-netrc.ts';

/**
 * The address of a file of an index without its user and password, and the header that has them. They come from the
 * address itself, from uv's variables for an index of the same origin (in its address, or as `UV_INDEX_NAME_PASSWORD`), or
 * from the user's netrc file, as for uv.
 */
export async function findIndexLogin(
  url: string,
  variables: NodeJS.ProcessEnv,
): Promise<{ readonly address: string; readonly headers: Readonly<Record<string, string>> }> {
  const wanted = new URL(url);
  const login =
    readLogin(wanted) ??
    listLogins(variables).find(({ origin }) => origin === wanted.origin)?.login ??
    findNetrcLogin(await readNetrc(variables), wanted.hostname);
  wanted.username = wanted.password = '';
  return { address: wanted.href, headers: login === undefined ? {} : { authorization: `Basic ${btoa(login)}` } };
}

function listLogins(variables: NodeJS.ProcessEnv): readonly { readonly origin: string; readonly login: string }[] {
  return listIndexAddresses(variables).flatMap(({ name, address }) => {
    if (!URL.canParse(address)) return [];
    const url = new URL(address);
    const login = readNamedLogin(name, variables) ?? readLogin(url);
    return login === undefined ? [] : [{ origin: url.origin, login }];
  });
}

async function readNetrc({ NETRC: file, HOME: home = homedir() }: NodeJS.ProcessEnv): Promise<string> {
  return readFile(file ?? join(home, '.netrc'), 'utf8').catch(() => '');
}

function readNamedLogin(name: string | undefined, variables: NodeJS.ProcessEnv): string | undefined {
  if (name === undefined) return undefined;
  const prefix = `UV_INDEX_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
  const [user, password] = [variables[`${prefix}_USERNAME`], variables[`${prefix}_PASSWORD`]];
  return user === undefined && password === undefined ? undefined : `${user ?? ''}:${password ?? ''}`;
}

function readLogin({ username, password }: URL): string | undefined {
  return username === '' && password === '' ? undefined : `${decodeLogin(username)}:${decodeLogin(password)}`;
}
