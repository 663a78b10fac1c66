import { readlink } from 'node:fs/promises';
import { isAbsolute, join, posix, relative } from 'node:path';

/** A symbolic link, with its path and its target as it is written. */
export interface Link {
  readonly path: string;
  readonly target: string;
}

export interface FollowedLinks {
  /** The path, and each path that a link has made of it. The last one is where the path leads. */
  readonly steps: readonly string[];
  /** Whether the last step is a link to an absolute path, or one of a loop. */
  readonly leadsAway: boolean;
}

/** As Linux does. */
const MAX_LINKS = 40;

/** Follows the links of a path, of files and of folders. `findLink` finds the first link among the parts of a path. */
export async function followLinks(
  path: string,
  findLink: (path: string) => Promise<Link | undefined>,
): Promise<FollowedLinks> {
  let wanted = posix.normalize(path);
  const steps = [wanted];
  while (steps.length <= MAX_LINKS) {
    const link = await findLink(wanted);
    if (!link) return { steps, leadsAway: false };
    if (posix.isAbsolute(link.target)) return { steps, leadsAway: true };
    wanted = posix.join(posix.dirname(link.path), link.target, wanted.slice(link.path.length), '.');
    steps.push(wanted);
  }
  return { steps, leadsAway: true };
}

/** Follows the links of a path below a folder of this machine. */
export function followFolderLinks(folder: string, path: string): Promise<FollowedLinks> {
  return followLinks(path, async (wanted) => {
    for (const part of listParts(wanted)) {
      const target = await readlink(join(folder, part)).catch(() => undefined);
      if (target === undefined) continue;
      const from = join(folder, posix.dirname(part));
      return { path: part, target: isAbsolute(target) ? relative(from, target) : target };
    }
    return undefined;
  });
}

/** `../a/b` → `../a`, `../a/b` */
export function listParts(path: string): readonly string[] {
  const names = path.split('/');
  return names.map((_, i) => names.slice(0, i + 1).join('/')).filter((part) => !/(?:^|\/)\.{1,2}$/.test(part));
}
