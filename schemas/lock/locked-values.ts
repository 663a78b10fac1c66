import { z } from 'zod';
import { makePatternSchema, makeTextSchema, type TextProblem } from '../values/text-shape.ts';

/*
 * The values of a lock. A lock is part of a pull request, and uv, pip and Docker read its values from files and command
 * lines that Davit writes. So every value has a strict form: none contains white space, a control character or anything
 * else that could end it and begin something of its own.
 */

export const SHA256 = makePatternSchema('expected sha256: and 64 hexadecimal digits', /^sha256:[0-9a-f]{64}$/);

/** Normalised (PEP 503): `scikit-learn`. */
export const packageName = makePatternSchema(
  'expected the normalised name of a package, such as scikit-learn',
  /^[a-z0-9]+(?:-[a-z0-9]+)*$/,
);

/** A public or local version (PEP 440): `1.9.1`, `2!1.0rc1.post2.dev3+cu118`. */
const VERSION =
  /^v?(?:\d+!)?\d+(?:\.\d+)*(?:[-_.]?(?:alpha|beta|preview|pre|rc|a|b|c)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?(?:[-_.]?dev[-_.]?\d*)?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$/i;
const VERSION_CHARACTERS = 100;

export const packageVersion = makeTextSchema('expected a version, such as 1.9.1', (text) =>
  isPackageVersion(text) ? undefined : { message: 'expected a version, such as 1.9.1' },
);

/** Whether a text is a version (PEP 440). */
export function isPackageVersion(text: string): boolean {
  return text.length <= VERSION_CHARACTERS && VERSION.test(text);
}

const SOURCE_RULE = 'expected a wheel: an https address, or a path inside the model';
const PATH_PART = /^(?!\.{1,2}$)[^\s\p{Cc}\p{Cf}\\/:?#%$]+$/u;

/** Where a package comes from that is not in an index: the https address of a wheel, or its path inside the model. */
export const packageSource = makeTextSchema(SOURCE_RULE, checkSource);

function checkSource(text: string): TextProblem | undefined {
  const isWheel = isWebWheel(text) || (text.endsWith('.whl') && text.split('/').every((part) => PATH_PART.test(part)));
  return isWheel ? undefined : { message: SOURCE_RULE };
}

/** Whether a text is the address of a wheel without credentials. uv would replace `${NAME}` by a variable. */
export function isWebWheel(text: string): boolean {
  if (!/^https:\/\/[^\s\p{Cc}\p{Cf}\\$]+$/u.test(text) || !URL.canParse(text)) return false;
  const { pathname, username, password } = new URL(text);
  return pathname.endsWith('.whl') && username === '' && password === '';
}

/** In uv's notation: `x86_64-manylinux_2_28`. */
export const platform = makePatternSchema(
  'expected a platform in the notation of uv, such as x86_64-manylinux_2_28',
  /^[a-z0-9_]+(?:-[a-z0-9_]+){0,4}$/,
);

/** Minor version: `3.11`. */
export const pythonMinor = makePatternSchema('expected a minor version of Python, such as 3.11', /^3\.\d{1,2}$/);
/** `3.11.7`, or `3.11` from old models. */
export const pythonVersion = makePatternSchema(
  'expected a version of Python, such as 3.11.7',
  /^3\.\d{1,2}(?:\.\d{1,3})?$/,
);

/** The number of a version in a registry, or the digest of a container image. */
export const registeredVersion = makePatternSchema(
  'expected the number of a version, such as 3, or the digest of an image',
  /^(?:\d{1,18}|sha256:[0-9a-f]{64})$/,
);

/** `python3.11-0a1b2c3d4e` */
export const virtualenvKey = makePatternSchema(
  'expected the key of a virtualenv, such as python3.11-0a1b2c3d4e',
  /^python3\.\d{1,2}-[0-9a-f]{10}$/,
);

const LINE_CHARACTERS = 2000;

/** A text of people, such as the name of a model, on one line. */
export const line = z
  .string()
  .max(LINE_CHARACTERS, `expected at most ${LINE_CHARACTERS} characters`)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'expected a text on one line');
