import { sep } from 'node:path';

/** Whether a path is inside of a folder. Both are absolute and without `..`; links are not followed. */
export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}
