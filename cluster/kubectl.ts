import { setTimeout as sleep } from 'node:timers/promises';
import { makeChildEnvironment, type ProcessResult, runProcess } from '../system/run-process.ts';
import { KUBECONFIG, KUBECTL_CACHE } from './kubernetes-node/node-layout.ts';

/** How to call a cluster. */
export interface KubectlConnection {
  readonly program: string;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const POLL_MILLISECONDS = 300;
const CALL_LIMIT_SECONDS = 180;

/** Runs kubectl and returns its standard output; throws its error message when it fails. */
export async function kubectl(to: KubectlConnection, args: readonly string[], input?: string): Promise<string> {
  const ran = await tryKubectl(to, args, input);
  if (ran.code === 0) return ran.stdout;
  throw new Error(`Cannot run kubectl ${args[0] ?? ''}: ${ran.stderr.trim().split('\n').slice(-5).join('; ')}`);
}

/** Runs kubectl and returns its result, even if it fails. */
export function tryKubectl(to: KubectlConnection, args: readonly string[], input?: string): Promise<ProcessResult> {
  const { program, kubeconfig, context, signal } = to;
  return runProcess(program, [...(context === undefined ? [] : ['--context', context]), ...args], {
    env: makeChildEnvironment({
      ...(kubeconfig !== undefined && { KUBECONFIG: kubeconfig }),
      ...((kubeconfig ?? process.env['KUBECONFIG']) === KUBECONFIG && { KUBECACHEDIR: KUBECTL_CACHE }),
    }),
    limitSeconds: CALL_LIMIT_SECONDS,
    ...(input !== undefined && { input }),
    ...(signal && { signal }),
  });
}

/** Applies objects (or YAML text). Retries until they are accepted, because webhooks need a moment to start. */
export async function applyObjects(
  to: KubectlConnection,
  objects: string | readonly unknown[],
  { limitSeconds }: { readonly limitSeconds: number },
): Promise<void> {
  const text =
    typeof objects === 'string' ? objects : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const apply = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
  await retryUntilSuccess(to, limitSeconds, 'apply objects', () => tryKubectl(to, apply, text));
}

/** Calls until it succeeds; throws the last error message after the limit. */
export async function retryUntilSuccess(
  to: KubectlConnection,
  limitSeconds: number,
  what: string,
  call: () => Promise<ProcessResult>,
): Promise<void> {
  const end = performance.now() + limitSeconds * 1000;
  for (;;) {
    to.signal?.throwIfAborted();
    const ran = await call();
    if (ran.code === 0) return;
    if (performance.now() > end)
      throw new Error(`Cannot ${what} within ${limitSeconds} s: ${ran.stderr.trim().split('\n').slice(-3).join('; ')}`);
    await sleep(POLL_MILLISECONDS);
  }
}
