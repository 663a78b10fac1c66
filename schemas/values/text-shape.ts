import { z } from 'zod';

/** A problem with a text. `message` ends a sentence ("expected …") or is a whole one ("Cannot …"). */
export interface TextProblem {
  readonly message: string;
  readonly hint?: string;
}

/**
 * A text that a function checks. `expected` is also the message for a missing text. Editors check `pattern`, which can
 * be less strict than the function.
 */
export function makeTextSchema(expected: string, check: (text: string) => TextProblem | undefined, pattern?: RegExp) {
  const schema = z.string(expected).superRefine((text, context) => {
    const wrong = check(text);
    if (wrong) context.addIssue({ code: 'custom', message: wrong.message, params: { hint: wrong.hint } });
  });
  return pattern ? schema.meta({ pattern: pattern.source }) : schema;
}

/** A text that matches a pattern. */
export function makePatternSchema(expected: string, pattern: RegExp) {
  return makeTextSchema(expected, (text) => (pattern.test(text) ? undefined : { message: expected }), pattern);
}

/**
 * Refuses an address with credentials, because addresses are committed and printed. Does not repeat the credentials.
 */
export function refuseCredentials(text: string, hint: string): TextProblem | undefined {
  const [authority = ''] = text.replace(/^[a-z+]+:\/\//i, '').split('/');
  return authority.replace(/@sha256:.*/, '').includes('@')
    ? {
        message: 'Cannot accept credentials in an address: expected an address without them, because files are in Git',
        hint,
      }
    : undefined;
}
