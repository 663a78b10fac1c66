// Checks with Prettier the format of the files that have not passed as they are now (passed-files.ts).
import { readFile } from 'node:fs/promises';
import { codePath } from '../system/code.ts';
import { checkUnpassed } from './passed-files.ts';

const SETTINGS = ['.prettierignore', 'package.json', 'package-lock.json'];

await checkUnpassed('format', { settings: SETTINGS, readsTypes: false }, async (files) => {
  const prettier = await import('prettier');
  const failed = new Set<string>();
  for (const file of files) {
    const filepath = codePath(file);
    const info = await prettier.getFileInfo(filepath, { ignorePath: codePath('.prettierignore') });
    if (info.ignored || info.inferredParser === null) continue;
    const options = await prettier.resolveConfig(filepath, { editorconfig: true });
    const isFormatted = await prettier
      .check(await readFile(filepath, 'utf8'), { ...options, filepath })
      .catch((e: unknown) => {
        process.stdout.write(`${file}: ${String(e)}\n`);
        return false;
      });
    if (isFormatted) continue;
    failed.add(file);
    process.stdout.write(`${file} is not formatted: run npx prettier --write ${file}\n`);
  }
  return failed;
});
