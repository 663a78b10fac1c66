// Runs ESLint on the files that have not passed it as they are now (passed-files.ts).
import { relative } from 'node:path';
import { CODE_FOLDER, codePath } from '../system/code.ts';
import { checkUnpassed } from './passed-files.ts';

const SETTINGS = ['eslint.config.js', 'package.json', 'package-lock.json'];

await checkUnpassed('lint', { checker: 'tools/lint.ts', settings: SETTINGS, readsTypes: true }, async (files) => {
  const { ESLint } = await import('eslint'); // takes a second
  // Only this configuration, because it is part of the key.
  const options = { overrideConfigFile: codePath('eslint.config.js'), warnIgnored: false };
  const eslint = new ESLint({ cwd: CODE_FOLDER, ...options });
  const results = await eslint.lintFiles([...files]);
  const faulty = results.filter(({ errorCount, warningCount }) => errorCount + warningCount > 0);
  const formatter = await eslint.loadFormatter('stylish');
  process.stdout.write(await formatter.format(faulty));
  return new Set(faulty.map(({ filePath }) => relative(CODE_FOLDER, filePath)));
});
