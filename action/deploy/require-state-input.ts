import { sep } from 'node:path';
import { readProjectBackend } from '../../engine/engine-project.ts';
import { findBackendFolder } from '../../engine/state/backend.ts';
import { davitFolder } from '../../system/davit-folder.ts';

/**
 * Throws when the state is where only the merged Pulumi.yaml says. A merge that changes no endpoint could change that
 * address: Pulumi would send its access token there, or read a state from the checkout that names plugins to run. Only
 * a folder below `.davit/`, of which nothing comes out of the repository, is harmless.
 */
export async function requireStateInput(root: string): Promise<void> {
  if (process.env['PULUMI_BACKEND_URL']) return;
  const url = await readProjectBackend(root);
  const folder = url && findBackendFolder(url, root);
  if (url === undefined || folder?.startsWith(davitFolder(root) + sep)) return;
  throw new Error(
    `Cannot use the state at ${url}: only Pulumi.yaml names it, which any merge can change. Set the input "state" of the workflow to this address`,
  );
}
