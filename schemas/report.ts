import { z } from 'zod';
import { DIAGNOSTIC_CODES, type DiagnosticCode } from './diagnostic-codes.ts';
import { OPERATIONS } from './plan.ts';

const text = z.string();
/** Of a validation, in their order. */
const STAGES = ['fetch', 'check', 'lock', 'virtualenv', 'proof'] as const;

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

const preview = z.strictObject({
  environment: text,
  /** Null: it was not previewed, because the endpoint fails before, or for the reason in `outage`. */
  plan: plan.nullable(),
  /** Why it could not be previewed, when that is nobody's file. */
  outage: text.nullable(),
});

const changedPath = z.strictObject({ path: text, change: z.enum(['added', 'modified', 'deleted']) });

const endpointReport = z.strictObject({
  endpoint: text,
  /** `affected`: its own files are as they were, its model or an environment is not. `asked`: only named by the user. */
  change: z.enum(['added', 'changed', 'removed', 'affected', 'asked']),
  /** What of the change concerns it: its file and lock, folders of its models, environments. */
  because: list(changedPath),
  /** `unknown`: not looked at, because something before it fails. */
  lock: z.enum(['up-to-date', 'missing', 'stale', 'invalid', 'unknown']),
  diagnostics: list(diagnostic),
  entities: list(entity),
  previews: list(preview),
  /** Why it could not be validated, when that is nobody's file. */
  outage: text.nullable(),
});

const report = z.strictObject({
  report_version: z.literal(2),
  /** The commit that changes are counted from; null: only what the user named. */
  base: text.regex(/^[0-9a-f]{40,64}$/).nullable(),
  environments: list(text),
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
