import { z } from 'zod';

/** What is wrong with a text: a sentence's end ("expected …") or a whole one ("Cannot …"), and what to do. */
export interface WrongText {
  readonly message: string;
  readonly hint?: string;
}

/**
 * A text that a function looks at. `expected` also says what is missing where there is none; `pattern` is what editors can
 * check of it.
 */
export function textOf(expected: string, judge: (text: string) => WrongText | undefined, pattern?: RegExp) {
  const schema = z.string(expected).superRefine((text, context) => {
    const wrong = judge(text);
    if (wrong) context.addIssue({ code: 'custom', message: wrong.message, params: { hint: wrong.hint } });
  });
  return pattern ? schema.meta({ pattern: pattern.source }) : schema;
}

/** A text of one shape. */
export function textLike(expected: string, pattern: RegExp) {
  return textOf(expected, (text) => (pattern.test(text) ? undefined : { message: expected }), pattern);
}

/** Addresses are committed and quoted: a password in one is refused without being said again. */
export function refuseCredentials(text: string, hint: string): WrongText | undefined {
  const [authority = ''] = text.replace(/^[a-z+]+:\/\//i, '').split('/');
  return authority.replace(/@sha256:.*/, '').includes('@')
    ? { message: 'Cannot accept credentials in an address: expected none, since files are in Git', hint }
    : undefined;
}
