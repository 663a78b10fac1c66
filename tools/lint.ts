// Runs ESLint on the files that have not passed it as they are now (passed-files.ts).
import { relative } from 'node:path';
import { CODE_FOLDER } from '../system/code.ts';
import { checkUnpassed } from './passed-files.ts';

const SETTINGS = ['eslint.config.js', 'package.json', 'package-lock.json', 'tsconfig.json'];

await checkUnpassed('lint', { settings: SETTINGS, readsTypes: true }, async (files) => {
  const { ESLint } = await import('eslint'); // takes a second
  const eslint = new ESLint({ cwd: CODE_FOLDER, warnIgnored: false });
  const results = await eslint.lintFiles([...files]);
  const faulty = results.filter(({ errorCount, warningCount }) => errorCount + warningCount > 0);
  const formatter = await eslint.loadFormatter('stylish');
  process.stdout.write(await formatter.format(faulty));
  return new Set(faulty.map(({ filePath }) => relative(CODE_FOLDER, filePath)));
});
