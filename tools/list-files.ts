import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import ts from 'typescript';
import { CODE_FOLDER } from '../system/code.ts';
import { runGit } from '../system/git/run-git.ts';

/** Lists the files of a repository that Git does not ignore, committed or not. */
export async function listFiles(root = CODE_FOLDER): Promise<readonly string[]> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { code, stdout, stderr } = await runGit(root, list);
  if (code !== 0) throw new Error(`Cannot list the files of ${root}: ${stderr}`);
  return [...new Set(stdout.split('\0').filter(Boolean))];
}

/** Lists the paths that a TypeScript file imports by a relative path, type imports included. */
export function listImports(path: string, root = CODE_FOLDER): readonly string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, path), 'utf8'), true, true);
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => posix.join(dirname(path), fileName));
}
