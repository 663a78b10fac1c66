import { z } from 'zod';
import { CASE_ORIGINS } from '../lock/proof.ts';

/** Everything in a comparison comes from models, locks and answers, so each text is cut where it is made. */
const text = z.string().max(2000);
const count = z.int().nonnegative();
const seconds = z.number().nonnegative();

/** The page of a registry. Allows no character that ends a Markdown link or a table cell. */
const page = z.string().max(1000).regex(/^https?:\/\/[\w.:-]+\/[\w./%#~-]*$/); // prettier-ignore

function list<T extends z.ZodType>(item: T, items = 1000) {
  return z.array(item).max(items).readonly();
}

function sides<T extends z.ZodType>(value: T) {
  return z.strictObject({ old: value, new: value });
}

const SIGNATURE_PARTS = ['inputs', 'outputs', 'params'] as const;
const SIGNATURE_CHANGES = ['added', 'removed', 'retyped', 'required', 'optional', 'default'] as const;
const REQUEST_EFFECTS = ['rounds', 'alters', 'fails'] as const;
const PACKAGE_CHANGES = ['added', 'removed', 'raised', 'lowered', 'replaced'] as const;

const signatureChange = z.strictObject({
  part: z.enum(SIGNATURE_PARTS),
  /** The column or parameter; empty: the whole part. */
  name: text,
  change: z.enum(SIGNATURE_CHANGES),
  /** The type, or the default of a parameter. Null: there is none. */
  old: text.nullable(),
  new: text.nullable(),
  /** Whether requests of today may fail or mean something else, or the reading of their answers may fail. */
  breaks: z.boolean(),
  /** What becomes of requests of today under another type. Absent: their values arrive as they were sent, or it is an output. */
  effect: z.enum(REQUEST_EFFECTS).exactOptional(),
});

const packageChange = z.strictObject({
  name: text,
  /** `replaced`: the same version from other files. */
  change: z.enum(PACKAGE_CHANGES),
  old: text.nullable(),
  new: text.nullable(),
  /** Whether the model's own requirements name it. */
  direct: z.boolean(),
});

const advisory = z.strictObject({ name: text, version: text, id: text, level: text.nullable() });

const packages = z.strictObject({
  changes: list(packageChange, 5000),
  python: sides(text),
  /** Null: not among the packages. */
  mlflow: sides(text.nullable()),
  /** The size of the installed packages. Null: a virtualenv was not made on this machine. */
  bytes: sides(count).nullable(),
  /** Known vulnerabilities. Null: there is no database of them. */
  advisories: z.strictObject({ came: list(advisory), went: list(advisory) }).nullable(),
});

const run = z.strictObject({
  load_seconds: seconds,
  /** All inputs together. */
  predict_seconds: seconds,
  peak_memory_bytes: count,
  /** Whether the same version answers the same input in several ways. */
  varies: z.boolean(),
});

const comparedInput = z.strictObject({
  /** The version that brings the input. */
  of: z.enum(['old', 'new', 'both']),
  origin: z.enum(CASE_ORIGINS),
  /** The name in the endpoint file, or empty. */
  name: text,
  rows: count,
  changed: count,
  /** How many rows each answer has, if their numbers differ: then no row is compared. */
  lengths: sides(count).exactOptional(),
  /** Why a version gives no answer. */
  failure: sides(text.nullable()),
});

const predictions = z.strictObject({
  inputs: list(comparedInput, 50),
  rows: count,
  changed: count,
  /** Numbers that differ by no more are equal. */
  tolerance: z.number().nonnegative(),
  /** The largest difference between two numbers. Null: no pair of numbers differs. */
  largest: z.number().nonnegative().nullable(),
  moved: list(z.strictObject({ from: text, to: text, count }), 50),
  /** The rows that changed most, as JSON. Empty where the policy hides them. */
  most_changed: list(z.strictObject({ input: text, old: text, new: text }), 10),
  /** Whether the policy hides inputs and answers. */
  hidden: z.boolean(),
  old: run,
  new: run,
});

/** Of one version in its registry. */
export const versionPages = z.strictObject({ model: page.nullable(), run: page.nullable() });

/** A served entity compared with the one of the base branch that it replaces. */
export const comparison = z.strictObject({
  entity: text,
  /** `iris 1` */
  model: text,
  /** The new reason in `davit.breaking`. */
  breaking: text.nullable(),
  signature: list(signatureChange),
  packages,
  /** Null: not compared, see `note`. */
  predictions: predictions.nullable(),
  note: text.nullable(),
  /** What the files of the models, and the registry, say about their origin. */
  card: list(z.strictObject({ field: text, old: text.nullable(), new: text.nullable() }), 100),
  /** The pages of both versions in the registry. */
  pages: sides(versionPages).exactOptional(),
});

export type Comparison = z.infer<typeof comparison>;
export type SignatureChange = z.infer<typeof signatureChange>;
export type PackageChange = z.infer<typeof packageChange>;
export type PackageComparison = z.infer<typeof packages>;
export type PredictionComparison = z.infer<typeof predictions>;
export type ComparedInput = z.infer<typeof comparedInput>;
export type ComparedRun = z.infer<typeof run>;
