import { lock } from '../../cli/lock.ts';
import { hasErrors } from '../../schemas/diagnostic.ts';
import { SILENT } from '../../system/progress.ts';

/** `davit lock NAME…` in this process: where a lock is needed and not tested, it saves a start of Node. No name: all. */
export async function lockProject(root: string, ...names: readonly string[]): Promise<void> {
  const { signal } = new AbortController();
  const { diagnostics } = await lock.run({ args: names, options: {}, root, cwd: root, progress: SILENT, signal });
  if (hasErrors(diagnostics)) throw new Error(`Cannot lock ${names.join(', ')}: ${JSON.stringify(diagnostics)}`);
}
