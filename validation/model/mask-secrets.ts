/** Names of URL fields whose values grant access: `token`, `X-Amz-Signature`. */
const SECRET = /token|key|sig|secret|passw|auth|credential/i;

/** Whether a URL contains a user, a password or a token. */
export function hasCredentials(text: string): boolean {
  return maskSecrets(text) !== text;
}

/** Replaces possible secrets in a text. */
export function maskSecrets(text: string): string {
  const parts = text.replace(/:\/\/[^/\s@]+@/g, '://…@').split(/([&#\s])/);
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
