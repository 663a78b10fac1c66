import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const TESTS = 'tests';
/** `test_frame.py`; what else is Python there may be a helper that others import. */
const TEST_MODULE = /^test_.*\.pyi?$/;
const CODE = /\.(py|so|pyd|dylib)$/;

/**
 * Takes the test modules of installed packages and their data out of a tree: a sixth of what a scikit-learn model needs,
 * and no server imports them. Where a model is proved and where it is served they are missing alike.
 */
export async function leaveOutTests(folder: string, isTests = false): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return leaveOutTests(path, isTests || entry.name === TESTS);
      if (isTests && (TEST_MODULE.test(entry.name) || !CODE.test(entry.name))) await rm(path);
    }),
  );
}
