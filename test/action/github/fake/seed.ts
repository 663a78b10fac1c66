import { z } from 'zod';

const permissions = z.record(z.string(), z.enum(['read', 'write', 'none']));
const sha = z.string().regex(/^[0-9a-f]{40}$/);

const pull = z.strictObject({
  number: z.int(),
  title: z.string().default('A change'),
  head: z.strictObject({
    sha,
    ref: z.string().default('change'),
    /** OWNER/NAME of a fork; without: this repository. */
    repository: z.string().optional(),
  }),
  base: z.strictObject({ sha: sha.default('0'.repeat(40)), ref: z.string().default('main') }).prefault({}),
  labels: z.array(z.string()).default([]),
  /** The commits of the base branch that the merge made, the last one its own; without: open. */
  mergedAs: z.array(sha).default([]),
  closed: z.boolean().default(false),
});

const fault = z.strictObject({
  /** An operation's id, the name of a GraphQL field, or `*`. */
  operation: z.string(),
  /** 0: the connection breaks. */
  status: z.int(),
  headers: z.record(z.string(), z.string()).default({}),
  message: z.string().default('Server Error'),
  times: z.int().default(1),
  /** So many of its requests go well before. */
  after: z.int().default(0),
  /** The request has done its work, only the answer is lost. */
  done: z.boolean().default(false),
});

/** What a fake GitHub begins with. */
export const seed = z.strictObject({
  /** OWNER/NAME */
  repository: z.string(),
  /** Token → whose it is, and what it may; without permissions: what the job may that asks (user agent "davit (JOB)"). */
  tokens: z.record(z.string(), z.strictObject({ login: z.string(), permissions: permissions.optional() })),
  jobs: z.record(z.string(), permissions).default({}),
  pulls: z.array(pull).default([]),
  comments: z
    .array(z.strictObject({ on: z.int(), login: z.string(), body: z.string(), minimized: z.boolean().default(false) }))
    .default([]),
  checkRuns: z
    .array(
      z.strictObject({
        sha,
        name: z.string().default('davit'),
        app: z.string().default('github-actions'),
        conclusion: z.string().default('success'),
        text: z.string().nullable().default(null),
      }),
    )
    .default([]),
  deployments: z
    .array(
      z.strictObject({
        sha,
        environment: z.string(),
        task: z.string(),
        payload: z.unknown(),
        login: z.string().default('github-actions[bot]'),
        createdAt: z.string().default('2026-11-24T10:00:00Z'),
        /** Oldest first: `success`. */
        states: z.array(z.string()).default([]),
      }),
    )
    .default([]),
  issues: z
    .array(z.strictObject({ number: z.int(), login: z.string(), title: z.string(), body: z.string() }))
    .default([]),
  runs: z
    .array(
      z.strictObject({
        id: z.int(),
        status: z.string(),
        attempt: z.int().default(1),
        updatedAt: z.string().default('2026-11-24T12:00:00Z'),
      }),
    )
    .default([]),
  /** Branch → its commit. */
  branches: z.record(z.string(), sha).default({}),
  /** A Git repository to commit to instead: its branches are GitHub's. */
  git: z.string().optional(),
  /** The repository's setting "Allow GitHub Actions to create and approve pull requests". */
  mayOpenPullRequests: z.boolean().default(true),
  faults: z.array(fault).default([]),
  limits: z
    .strictObject({
      /** Writes a minute before the secondary rate limit. */
      writesPerMinute: z.int().default(80),
      requestsPerHour: z.int().default(1000),
      retryAfterSeconds: z.int().default(1),
    })
    .prefault({}),
});

export type Seed = z.input<typeof seed>;
export type ParsedSeed = z.output<typeof seed>;
export type Fault = z.input<typeof fault>;
export type Permissions = z.output<typeof permissions>;
