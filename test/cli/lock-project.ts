import { lockEndpoints } from '../../app/lock-endpoints.ts';
import { selectEndpoints } from '../../app/select-endpoints.ts';
import { hasErrors } from '../../schemas/diagnostic.ts';
import { SILENT } from '../../system/progress.ts';

/** `davit lock NAME…` in this process: where a lock is needed and not tested, it saves a start of Node. No name: all. */
export async function lockProject(root: string, ...names: readonly string[]): Promise<void> {
  const place = { root, endpoints: 'endpoints' };
  const { signal } = new AbortController();
  const selected = await selectEndpoints(place, names);
  const locked = await lockEndpoints(selected.endpoints, { place, upgrade: false, progress: SILENT, signal });
  const diagnostics = [...selected.diagnostics, ...locked.flatMap((l) => l.result.diagnostics)];
  if (hasErrors(diagnostics)) throw new Error(`Cannot lock ${names.join(', ')}: ${JSON.stringify(diagnostics)}`);
}
