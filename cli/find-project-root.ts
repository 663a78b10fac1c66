import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from './command.ts';

/** The nearest folder with a Pulumi.yaml, from `from` upwards. */
export function findProjectRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'Pulumi.yaml'))) return folder;
    if (dirname(folder) === folder) {
      throw new UsageError(
        `Cannot find a project in ${from} or above it: expected a folder with Pulumi.yaml, endpoints/ and environments/`,
      );
    }
  }
}
