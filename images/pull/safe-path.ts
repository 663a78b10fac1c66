import { posix } from 'node:path';
import { ImageContentError } from './image-content-error.ts';

/**
 * The path of an archive's entry relative to a folder of the archive (`models/`, or an empty text for the archive).
 * Undefined: it is not in that folder. Throws if the path leads out of it.
 */
export function parseSafePath(written: string, below: string): string | undefined {
  const parts = written.split('/').filter((part) => part !== '' && part !== '.');
  const path = parts.join('/');
  const isInside = `${path}/`.startsWith(below);
  if (isInside && (written.startsWith('/') || parts.includes('..') || written.includes('\0')))
    throw new ImageContentError(`its entry ${JSON.stringify(written.slice(0, 200))} leads out of its folder`);
  return isInside ? path.slice(below.length) : undefined;
}

/** The target of a symbolic link, relative to the link's folder. Throws if it leads out of the model's files. */
export function normalizeLink(path: string, target: string, below: string): string {
  const parent = posix.dirname(path);
  const isAbsolute = target.startsWith('/');
  const inside = isAbsolute ? `${posix.normalize(target).slice(1)}/` : '';
  const whole = isAbsolute && below !== '' && inside.startsWith(below) ? inside.slice(below.length) : undefined;
  const aim = isAbsolute ? whole : posix.join(parent, target);
  if (aim === undefined || aim === '..' || aim.startsWith('../') || target.includes('\0'))
    throw new ImageContentError(`the link "${path}" in it leads out of the model`);
  return posix.relative(parent, aim) || '.';
}
