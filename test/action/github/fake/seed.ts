import { z } from 'zod';

const permissions = z.record(z.string(), z.enum(['read', 'write', 'none']));
const sha = z.string().regex(/^[0-9a-f]{40}$/);

const pull = z.strictObject({
  number: z.int(),
  title: z.string().default('A change'),
  head: z.strictObject({
    sha,
    ref: z.string().default('change'),
    /** OWNER/NAME of a fork. Default: this repository. */
    repository: z.string().optional(),
  }),
  base: z.strictObject({ sha: sha.default('0'.repeat(40)), ref: z.string().default('main') }).prefault({}),
  labels: z.array(z.string()).default([]),
  /** The commits that the merge added to the base branch. The last one is the merge commit. Empty: not merged. */
  mergedAs: z.array(sha).default([]),
  closed: z.boolean().default(false),
});

const fault = z.strictObject({
  /** An operation's id, the name of a GraphQL field, or `*`. */
  operation: z.string(),
  /** 0 closes the connection without a response. */
  status: z.int(),
  headers: z.record(z.string(), z.string()).default({}),
  message: z.string().default('Server Error'),
  times: z.int().default(1),
  /** The number of requests that succeed before the fault. */
  after: z.int().default(0),
  /** The request takes effect, but its response is lost. */
  done: z.boolean().default(false),
});

/** The initial state of a fake GitHub. */
export const seed = z.strictObject({
  /** OWNER/NAME */
  repository: z.string(),
  /** The address of its pages. Another one than github.com is a GitHub Enterprise Server: its API is at /api/v3 and /api/graphql. */
  server: z.string().default('https://github.com'),
  /** Token → login and permissions. Default: the permissions of the job in the user agent "davit (JOB)". */
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
        title: z.string().nullable().default(null),
        summary: z.string().nullable().default(null),
        text: z.string().nullable().default(null),
        externalId: z.string().nullable().default(null),
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
  /** Digest (`sha256:…`) → the bundles that were attested for it, newest first. */
  attestations: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))).default({}),
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
  /** Branch → commit. */
  branches: z.record(z.string(), sha).default({}),
  /** Commit → its files: path → content. */
  contents: z.record(sha, z.record(z.string(), z.string())).default({}),
  /** Head → the commit where its branch began; default: the base. */
  mergeBases: z.record(sha, sha).default({}),
  /** Head → the messages of the commits since its base. */
  messages: z.record(sha, z.array(z.string())).default({}),
  /** The folder of a Git repository that is used instead of `branches` and `contents`. */
  git: z.string().optional(),
  /** The repository's setting "Allow GitHub Actions to create and approve pull requests". */
  mayOpenPullRequests: z.boolean().default(true),
  faults: z.array(fault).default([]),
  limits: z
    .strictObject({
      /** The secondary rate limit: writes per minute. */
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
