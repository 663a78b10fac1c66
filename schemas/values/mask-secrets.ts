/** Names of URL fields whose values grant access: `token`, `X-Amz-Signature`. */
const SECRET = /token|key|sig|secret|passw|auth|credential/i;

/** `${USER}:${TOKEN}`: pip takes both from its environment. */
const VARIABLES = /^\$\{[A-Z0-9_]+\}(?::\$\{[A-Z0-9_]+\})?$/;

/** Whether a URL contains a user, a password or a token. */
export function hasCredentials(text: string): boolean {
  return maskSecrets(text) !== text;
}

/** Replaces possible secrets in a text. The user of an SSH address is not a secret, and neither is the name of a variable. */
export function maskSecrets(text: string): string {
  const masked = text.replace(/:\/\/([^/\s]+)@/g, (all, user: string, at: number) => {
    const isSshUser = text.slice(0, at).endsWith('ssh') && !user.includes(':');
    return isSshUser || VARIABLES.test(user) ? all : '://…@';
  });
  const parts = masked.split(/([&#\s])/);
  return parts.map((part, i) => (i % 2 === 0 ? maskFields(part, parts[i - 1] === '&') : part)).join('');
}

/** Masks the value of the first secret field in a part of a URL. `isField`: the part starts with a field name. */
function maskFields(part: string, isField: boolean): string {
  let begin = isField ? 0 : part.indexOf('?') + 1;
  while (isField || begin > 0) {
    const equals = part.indexOf('=', begin);
    if (equals < 0) return part;
    const hasValue = equals < part.length - 1;
    if (hasValue && SECRET.test(part.slice(begin, equals))) return `${part.slice(0, equals + 1)}…`;
    begin = part.indexOf('?', equals) + 1;
    if (begin === 0) return part;
  }
  return part;
}
