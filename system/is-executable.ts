import { access, constants } from 'node:fs/promises';

/** Whether this user may run a file. */
export function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
