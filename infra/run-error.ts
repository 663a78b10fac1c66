import * as pulumi from '@pulumi/pulumi';

/**
 * Rethrows an error of the program as a sentence. An error before any resource is registered is about the cluster, the
 * registry or a file. Its stack is shown with DAVIT_DEBUG only.
 */
export function asRunError(e: unknown): never {
  const keepsStack = Boolean(process.env['DAVIT_DEBUG']) || pulumi.ResourceError.isInstance(e);
  throw e instanceof Error && !keepsStack ? new pulumi.RunError(e.message) : e;
}
