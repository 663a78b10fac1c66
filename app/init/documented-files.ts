import { readFile } from 'node:fs/promises';
import { codePath } from '../../system/code.ts';

/** The placeholder for a release in documents, with a digest of zeros. */
export const DOCUMENTED_RELEASE = `OWNER/davit`;
export const DOCUMENTED_DIGEST = '0'.repeat(40);

/**
 * Returns the files in docs/pull-requests.md that a user must write, by path. Their code blocks begin with `# PATH`.
 */
export async function readDocumentedFiles(): Promise<ReadonlyMap<string, string>> {
  const page = await readFile(codePath('docs', 'pull-requests.md'), 'utf8');
  const blocks = [...page.matchAll(/^```yaml\n(# (\S+)\n.*?)^```$/gms)];
  return new Map(blocks.map(([, content = '', path = '']) => [path, content]));
}

/** The action that logs in to a cloud. */
export const DOCUMENTED_CREDENTIALS = '.github/actions/davit-credentials/action.yml';
