import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const TESTS = 'tests';
/** Matches `test_frame.py`. Other Python files in a tests folder can be helpers that other modules import. */
const TEST_MODULE = /^test_.*\.pyi?$/;
const CODE = /\.(py|so|pyd|dylib)$/;

/**
 * Removes the test modules of installed packages, and their data. They are a sixth of the packages of a scikit-learn
 * model, and no server imports them. They are absent both where a model is proved and where it is served.
 */
export async function removeTests(folder: string, isTests = false): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return removeTests(path, isTests || entry.name === TESTS);
      if (isTests && (TEST_MODULE.test(entry.name) || !CODE.test(entry.name))) await rm(path);
    }),
  );
}
