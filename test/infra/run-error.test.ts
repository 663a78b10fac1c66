import * as pulumi from '@pulumi/pulumi';
import { expect, it, vi } from 'vitest';
import { asRunError } from '../../infra/run-error.ts';

function rethrow(e: unknown): unknown {
  try {
    return asRunError(e);
  } catch (thrown) {
    return thrown;
  }
}

it('an error of the program is a sentence for the user, and keeps its stack with DAVIT_DEBUG', () => {
  const error = new Error('Cannot read the kubeconfig');
  const thrown = rethrow(error);
  expect(pulumi.RunError.isInstance(thrown)).toBe(true);
  expect((thrown as Error).message).toBe(error.message);
  vi.stubEnv('DAVIT_DEBUG', '1');
  expect(rethrow(error)).toBe(error);
  vi.unstubAllEnvs();
});
