import { join } from 'node:path';
import { cacheFolder } from '../system/cache.ts';

const REASONS: Readonly<Partial<Record<string, string>>> = {
  EACCES: 'you have no permission',
  EPERM: 'you have no permission',
  EROFS: 'the disk is read-only',
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'your share of the disk is used up',
};
const FULL = ['ENOSPC', 'EDQUOT'];
const ACTIONS: Readonly<Partial<Record<string, string>>> = {
  mkdir: 'make the folder',
  open: 'open',
  rename: 'rename',
  rmdir: 'remove',
  scandir: 'list',
  unlink: 'remove',
  write: 'write',
};

/** A refusal of the file system in a sentence with the next step, instead of Node's code. Undefined: another error. */
export function explainSystemError(error: Error): string | undefined {
  const { code = '', syscall = '', path } = error as NodeJS.ErrnoException;
  const reason = REASONS[code];
  // An error with a message of its own says more already.
  if (reason === undefined || !error.message.startsWith(`${code}: `)) return undefined;
  return `Cannot ${ACTIONS[syscall] ?? 'change'} ${path ?? 'a file'}: ${reason}${findNextStep(code, path)}`;
}

function findNextStep(code: string, path: string | undefined): string {
  if (FULL.includes(code)) return '; npx davit cache --prune frees what was not used for 30 days';
  const isInCache = path !== undefined && join(cacheFolder(), '/').startsWith(join(path, '/'));
  if (isInCache || path?.startsWith(join(cacheFolder(), '/')) === true)
    return '. Set DAVIT_CACHE to a folder that you can write to';
  return ', expected a file or folder that you can read and write';
}
