import { z } from 'zod';
import { DIAGNOSTIC_CODES, type DiagnosticCode } from './diagnostic-codes.ts';
import { OPERATIONS } from './plan.ts';

const text = z.string();
/** Of a validation, in their order. */
const STAGES = ['fetch', 'check', 'lock', 'virtualenv', 'proof'] as const;
/** Of a review, in their order: the first runs the models' code and has no credentials, the second the other way round. */
export const REVIEW_STAGES = ['validate', 'preview'] as const;
/** Nothing in it ends a Markdown link or a table's cell. */
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
  /** JSON of at most 2048 bytes, as the model server would send it. */
  answer: text.nullable(),
  peakMemoryBytes: count,
});

const entity = z.strictObject({
  entity: text,
  /** `iris 2` */
  model: text,
  /** The stages it went through; the last one is where it stopped when there is no proof. */
  stages: list(z.strictObject({ name: z.enum(STAGES), seconds, cached: z.boolean() })),
  proof: proof.nullable(),
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
  /** SHA-256, in hex, over the parts. */
  digest: sha256,
  /** `lock`, `program`, and the end of the URN of every resource that will exist → the first digits of its SHA-256. */
  parts: z.record(text, text.regex(/^[0-9a-f]{16}$/)),
});

const preview = z.strictObject({
  environment: text,
  /** Null: it was not previewed, because the endpoint fails before, or for the reason in `outage`. */
  plan: plan.nullable(),
  /** Why it could not be previewed, when that is nobody's file. */
  outage: text.nullable(),
  /** Of what deploying it would make; null: it was not previewed, or nothing is left of it. */
  fingerprint: fingerprint.nullable(),
});

const changedPath = z.strictObject({ path: text, change: z.enum(['added', 'modified', 'deleted']) });

const endpointReport = z.strictObject({
  endpoint: text,
  /** `affected`: its own files are as they were, its model or an environment is not. `asked`: only named by the user. */
  change: z.enum(['added', 'changed', 'removed', 'affected', 'asked']),
  /** What of the change concerns it: its file and lock, folders of its models, environments. */
  because: list(changedPath),
  /** As it was found; `unknown`: not looked at, `committed`: computed by the review and since then in the pull request. */
  lock: z.enum(['up-to-date', 'missing', 'stale', 'invalid', 'unknown', 'committed']),
  /** SHA-256, in hex, of the text of the lock that the review has computed and gone on with; null: of none. */
  computed_lock: sha256.nullable(),
  diagnostics: list(diagnostic),
  entities: list(entity),
  previews: list(preview),
  /** Why it could not be validated, when that is nobody's file. */
  outage: text.nullable(),
});

const stage = z.strictObject({
  stage: z.enum(REVIEW_STAGES),
  /** `success`: it went to its end, whatever it found. `missing`, `unreadable`: it left no report, or none that can be read. */
  result: z.enum(['success', 'failure', 'cancelled', 'skipped', 'missing', 'unreadable']),
  /** Why, where that is known; null: nothing to say. */
  why: text.nullable(),
});

const pullRequest = z.strictObject({
  number: count,
  /** From another repository: neither credentials nor a token that writes. */
  fork: z.boolean(),
  /** Has the label without which nothing is destroyed. */
  destroy: z.boolean(),
  /** The commit on its branch that holds the locks computed for it; null: they are not in it. */
  locks_commit: commit.nullable(),
  /** Where its base branch is now, if not where it was compared with any more. */
  base_moved_to: commit.nullable(),
  /** The page of the run. */
  run_url: z.string().regex(WEB_ADDRESS).nullable(),
});

const report = z.strictObject({
  report_version: z.literal(3),
  /** The commit that changes are counted from; null: only what the user named. */
  base: commit.nullable(),
  /** The commit that was checked out; null: no Git. Files may differ from it where somebody works. */
  head: commit.nullable(),
  /** What previews were made with; null: there was no preview. */
  program: z
    .strictObject({
      /** SHA-256, in hex, of `infra/`, of what it imports and of package-lock.json. */
      digest: sha256,
      /** The commit of Davit that it is from; null: not known. */
      commit: commit.nullable(),
      /** Whose environments: `base` means that the pull request's were not believed. */
      environments: z.enum(['checkout', 'base']),
    })
    .nullable(),
  environments: list(text),
  stages: list(stage),
  /** What GitHub says of the pull request; null: nobody has asked. */
  pull_request: pullRequest.nullable(),
  /** What is wrong with files that belong to no endpoint. */
  diagnostics: list(diagnostic),
  endpoints: list(endpointReport),
});

/** What a pull request does to its endpoints. Crosses between CI jobs as JSON, from one that ran the models' code. */
export type Report = z.infer<typeof report>;
export type EndpointReport = z.infer<typeof endpointReport>;
export type EntityReport = z.infer<typeof entity>;
export type PreviewReport = z.infer<typeof preview>;
export type ChangedPath = z.infer<typeof changedPath>;
export type Fingerprint = z.infer<typeof fingerprint>;
export type ReviewStage = (typeof REVIEW_STAGES)[number];
export type StageReport = z.infer<typeof stage>;
export type PullRequest = z.infer<typeof pullRequest>;

/** Whether a text is an address that a Markdown link can hold whatever is in it. */
export function isWebAddress(text: string): boolean {
  return WEB_ADDRESS.test(text);
}

const REPORT_CHARACTERS = 32 << 20;

/** Report text → value. Throws when it is not a report: it was written where models ran, so nothing in it is believed. */
export function parseReport(written: string): Report {
  if (written.length > REPORT_CHARACTERS)
    throw new RangeError(`Cannot read the report: it has ${written.length} characters, expected ${REPORT_CHARACTERS}`);
  try {
    return report.parse(JSON.parse(written));
  } catch (e) {
    throw new SyntaxError('Cannot read the report: it is not one that this version of Davit writes', { cause: e });
  }
}
