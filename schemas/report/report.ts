import { z } from 'zod';
import { DIAGNOSTIC_CODES, type DiagnosticCode } from '../diagnostic-codes.ts';
import { OPERATIONS } from './plan.ts';
import { comparison } from './comparison.ts';
import { MAX_NETWORK_ADDRESSES, MAX_VALIDATION_CASES } from '../endpoint/validation-file.ts';
import { CASE_ORIGINS } from '../lock/proof.ts';
import { WORKER_MODES } from '../endpoint/worker-mode.ts';

const text = z.string();
/** Stages of a validation, in order. */
const STAGES = ['fetch', 'check', 'lock', 'virtualenv', 'proof'] as const;
/** Stages of a review, in order. `validate` runs model code and has no credentials. `preview` is the opposite. */
export const REVIEW_STAGES = ['validate', 'preview'] as const;
/** Allows no character that ends a Markdown link or a table cell. */
const WEB_ADDRESS = /^https?:\/\/[\w.:-]+(\/[\w./-]*)?$/;

const seconds = z.number().nonnegative();
const count = z.int().nonnegative();

function list<T extends z.ZodType>(item: T) {
  return z.array(item).max(10_000).readonly();
}

const diagnostic = z.strictObject({
  code: z.enum(Object.keys(DIAGNOSTIC_CODES) as [DiagnosticCode, ...DiagnosticCode[]]),
  severity: z.enum(['error', 'warning']),
  file: text,
  line: count,
  column: count,
  message: text,
  hint: text.exactOptional(),
});

const proof = z.strictObject({
  python: text,
  mlflow: text.nullable(),
  sandboxed: z.boolean(),
  /** What the sandbox of that machine could not give: `a limit for temporary files`. */
  sandboxLacks: z.array(text).max(10).readonly(),
  /** What the model predicted; `answer` is JSON of at most 2048 bytes. No answer at all: it was only loaded. */
  cases: z
    .array(
      z.strictObject({ origin: z.enum(CASE_ORIGINS), name: text, answer: text.nullable(), failure: text.nullable() }),
    )
    .max(MAX_VALIDATION_CASES + 1)
    .readonly(),
  peakMemoryBytes: count,
  /** How the workers of one replica load the model, and its memory in all workers. Null: not known. */
  workers: z
    .strictObject({ mode: z.enum(WORKER_MODES), found: z.array(text).max(100).readonly(), count, memoryBytes: count })
    .nullable(),
  /** The services that it could reach, and how it used them. Absent: none. */
  network: z
    .array(
      z.strictObject({
        host: text,
        port: count,
        connections: count,
        ...{ sentBytes: count, receivedBytes: count },
        failure: text.exactOptional(),
      }),
    )
    .max(MAX_NETWORK_ADDRESSES)
    .readonly()
    .exactOptional(),
});

const entity = z.strictObject({
  entity: text,
  /** `iris 2` */
  model: text,
  /** The stages that ran. Without a proof, the last stage is the one that failed. */
  stages: list(z.strictObject({ name: z.enum(STAGES), seconds, cached: z.boolean() })),
  proof: proof.nullable(),
  /** One sentence about known vulnerabilities of the locked packages. Absent: the entity has no valid lock. */
  advisories: text.exactOptional(),
  /** What changes against the entity that it replaces. Absent: nothing, or there is none on the base branch. */
  comparison: comparison.exactOptional(),
});

const difference = z.strictObject({
  path: text,
  change: z.enum(['add', 'delete', 'update']),
  replaces: z.boolean(),
  old: z.unknown().exactOptional(),
  new: z.unknown().exactOptional(),
});

const plan = z.strictObject({
  stack: text,
  resources: list(
    z.strictObject({ urn: text, type: text, name: text, operation: z.enum(OPERATIONS), differences: list(difference) }),
  ),
  counts: z.record(z.enum(OPERATIONS), count),
  verdict: z.strictObject({
    kind: z.enum(['no-change', 'create', 'rolling-update', 'recreate', 'update-in-place', 'delete']),
    words: text,
    notes: list(text),
  }),
});

const sha256 = text.regex(/^[0-9a-f]{64}$/);
const commit = text.regex(/^[0-9a-f]{40,64}$/);

const fingerprint = z.strictObject({
  /** Hex SHA-256 of the parts. */
  digest: sha256,
  /** First digits of a SHA-256 by part: `lock`, `program`, and the URN suffix of every resource that will exist. */
  parts: z.record(text, text.regex(/^[0-9a-f]{16}$/)),
});

const preview = z.strictObject({
  environment: text,
  /** Null: no preview, because the endpoint failed earlier or because of `outage`. */
  plan: plan.nullable(),
  /** Why the preview failed, if no file of the user is the cause. */
  outage: text.nullable(),
  /** Fingerprint of the deployment result. Null: no preview, or the deployment removes everything. */
  fingerprint: fingerprint.nullable(),
});

const changedPath = z.strictObject({ path: text, change: z.enum(['added', 'modified', 'deleted']) });

const endpointReport = z.strictObject({
  endpoint: text,
  /** `affected`: only its model or an environment changed, not its own files. `asked`: only the user named it. */
  change: z.enum(['added', 'changed', 'removed', 'affected', 'asked']),
  /** Changed paths that concern this endpoint: its file and lock, its model folders, environments. */
  because: list(changedPath),
  /** State before the review. `unknown`: not checked. `committed`: the pull request now has the computed lock. */
  lock: z.enum(['up-to-date', 'missing', 'stale', 'invalid', 'unknown', 'committed']),
  /** Hex SHA-256 of the text of the lock that the review computed and used. Null: it computed no lock. */
  computed_lock: sha256.nullable(),
  diagnostics: list(diagnostic),
  entities: list(entity),
  previews: list(preview),
  /** Why validation failed, if no file of the user is the cause. */
  outage: text.nullable(),
});

const stage = z.strictObject({
  stage: z.enum(REVIEW_STAGES),
  /**
   * `success`: the stage finished, even if it found errors. `missing`, `unreadable`: its report is absent or invalid.
   */
  result: z.enum(['success', 'failure', 'cancelled', 'skipped', 'missing', 'unreadable']),
  /** The reason. Null: not known. */
  why: text.nullable(),
});

const pullRequest = z.strictObject({
  number: count,
  /** Whether the pull request comes from another repository. It then has no credentials and no write token. */
  fork: z.boolean(),
  /** Whether Dependabot started the run. GitHub gives such a run no credentials and no write token either. */
  dependabot: z.boolean().exactOptional(),
  /** Whether the claims of a run without credentials are not enough: only another run can make the check succeed. */
  needs_own_run: z.boolean().exactOptional(),
  /** Whether GitHub lists all files that it changes. */
  files_complete: z.boolean().exactOptional(),
  /** Whether it has the label that allows Davit to destroy endpoints. */
  destroy: z.boolean(),
  /** The commit on its branch that contains the computed locks. Null: the branch does not contain them. */
  locks_commit: commit.nullable(),
  /** Whether GitHub starts the workflows for that commit by itself, as it does for the commits of an app or a person. */
  locks_start_checks: z.boolean().exactOptional(),
  /** The current commit of its base branch, if the branch has moved since the comparison. */
  base_moved_to: commit.nullable(),
  /** Whether this review, of an older run, is of a program or files that the base branch has replaced since. */
  outdated: z.boolean().exactOptional(),
  /** URL of the workflow run. */
  run_url: z.string().regex(WEB_ADDRESS).nullable(),
  /** URL of the folder with the page of each diagnostic code, at the commit of the release. Null: not known. */
  pages_url: z.string().regex(WEB_ADDRESS).nullable().exactOptional(),
});

const report = z.strictObject({
  report_version: z.literal(3),
  /** The commit that the review compares with. Null: the report covers only the endpoints that the user named. */
  base: commit.nullable(),
  /** The commit that was checked out. Null: no Git. Files can have uncommitted changes. */
  head: commit.nullable(),
  /** The program that made the previews. Null: no preview. */
  program: z
    .strictObject({
      /** Hex SHA-256 of `infra/`, its imports and package-lock.json. */
      digest: sha256,
      /** The version of Davit. Absent: of a release that did not report it. */
      version: text.max(64).exactOptional(),
      /** The commit of Davit. Null: not known. */
      commit: commit.nullable(),
      /** Source of the environment files. `base`: the pull request's files are not trusted. */
      environments: z.enum(['checkout', 'base']),
      /** The names of those that the pull request changes and whose changed file the previews used as data. */
      changed_environments: list(text).exactOptional(),
      /** Git's ids of the endpoint files, locks and environments that the previews were made from, by path. */
      files: z.record(text, commit).exactOptional(),
    })
    .nullable(),
  environments: list(text),
  stages: list(stage),
  /** The pull request's data from GitHub. Null: not queried. */
  pull_request: pullRequest.nullable(),
  /** Diagnostics of files that belong to no endpoint. */
  diagnostics: list(diagnostic),
  endpoints: list(endpointReport),
});

/**
 * The effect of a pull request on its endpoints. CI jobs exchange it as JSON, and one of these jobs ran model code, so
 * the text is not trusted.
 */
export type Report = z.infer<typeof report>;
export type EndpointReport = z.infer<typeof endpointReport>;
export type EntityReport = z.infer<typeof entity>;
export type PreviewReport = z.infer<typeof preview>;
export type ChangedPath = z.infer<typeof changedPath>;
export type Fingerprint = z.infer<typeof fingerprint>;
export type ReviewStage = (typeof REVIEW_STAGES)[number];
export type StageReport = z.infer<typeof stage>;
export type PullRequest = z.infer<typeof pullRequest>;

/** Whether a text is a URL that is safe inside a Markdown link. */
export function isWebAddress(text: string): boolean {
  return WEB_ADDRESS.test(text);
}

const REPORT_CHARACTERS = 32 << 20;

/** Parses and checks the text of a report, which is not trusted because model code ran where it was written. Throws. */
export function parseReport(written: string): Report {
  if (written.length > REPORT_CHARACTERS)
    throw new RangeError(
      `Cannot read the report: it has ${written.length} characters, expected at most ${REPORT_CHARACTERS}`,
    );
  try {
    return report.parse(JSON.parse(written));
  } catch (e) {
    throw new SyntaxError('Cannot read the report: it is not in the format of this version of Davit', { cause: e });
  }
}
