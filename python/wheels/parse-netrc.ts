/**
 * Finds `user:password` of a host in the text of a netrc file, else those of its entry `default`. Undefined: it has none.
 */
export function findNetrcLogin(text: string, host: string): string | undefined {
  const logins = new Map<string, { user: string; password: string }>();
  let entry: { user: string; password: string } | undefined;
  const words = listWords(text);
  for (let i = 0; i < words.length; i++) {
    const [word, value = ''] = [words[i], words[i + 1]];
    if (word === 'default' || word === 'machine') {
      entry = { user: '', password: '' };
      const name = word === 'machine' ? value : DEFAULT;
      if (!logins.has(name)) logins.set(name, entry);
      if (word === 'machine') i += 1;
    } else if (word === 'login' || word === 'password' || word === 'account') {
      if (entry && word !== 'account') entry[word === 'login' ? 'user' : 'password'] = value;
      i += 1;
    }
  }
  const found = logins.get(host) ?? logins.get(DEFAULT);
  return found && `${found.user}:${found.password}`;
}

/** No host has this name. */
const DEFAULT = '';

/** A macro ends at an empty line. `#` begins a comment only at the begin of a line, because a password can have it. */
function listWords(text: string): readonly string[] {
  const words: string[] = [];
  let isMacro = false;
  for (const line of text.split(/\r?\n/).map((each) => each.trim())) {
    if (line === '') isMacro = false;
    if (line.startsWith('macdef')) isMacro = true;
    if (!isMacro && !line.startsWith('#')) words.push(...(line.match(/"[^"]*"|\S+/g) ?? []));
  }
  return words.map((word) => word.replace(/^"(.*)"$/, '$1'));
}
