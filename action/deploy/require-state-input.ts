import { readProjectBackend } from '../../engine/engine-project.ts';

/**
 * Throws when the state is where only the merged Pulumi.yaml says. A merge that changes no endpoint could change that
 * address, and Pulumi would send its access token and the state there. A folder of the checkout receives nothing.
 */
export async function requireStateInput(root: string): Promise<void> {
  if (process.env['PULUMI_BACKEND_URL']) return;
  const url = await readProjectBackend(root);
  if (url === undefined || url.startsWith('file:')) return;
  throw new Error(
    `Cannot use the state at ${url}: only Pulumi.yaml names it, which any merge can change. Set the input "state" of the workflow to this address`,
  );
}
