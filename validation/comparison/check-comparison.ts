import { type Diagnostic, makeError, makeWarning } from '../../schemas/diagnostic.ts';
import type { Comparison } from '../../schemas/report/comparison.ts';
import { describeSignatureChange, renderShare } from '../../schemas/report/describe-signature-change.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';
import type { ComparisonPolicy } from '../policy.ts';
import type { MissingComparison } from './predict-side-by-side.ts';
import { joinHints, type Subject } from '../subject.ts';

const MAX_DESCRIBED = 3;

export interface ComparisonContext {
  readonly subject: Subject;
  readonly policy: ComparisonPolicy;
  /** Whether the entity gets a share of the requests. */
  readonly hasTraffic: boolean;
  /** Whether `davit.breaking` is the reason of an earlier change. */
  readonly hasOldReason: boolean;
  /** Why the predictions were not compared. */
  readonly missing: MissingComparison | null;
  /** Whether the validation has found errors. */
  readonly isRefused: boolean;
}

/** The errors of a comparison, on the line of the model's version. Pure. */
export function checkComparison(comparison: Comparison, context: ComparisonContext): readonly Diagnostic[] {
  return [...checkClients(comparison, context), ...checkShare(comparison, context)];
}

function checkClients(
  { model, signature, breaking }: Comparison,
  { subject, hasTraffic, hasOldReason }: ComparisonContext,
): readonly Diagnostic[] {
  const breaks = signature.filter((c) => c.breaks);
  if (breaks.length === 0 || breaking !== null) return [];
  const described = breaks
    .slice(0, MAX_DESCRIBED)
    .map((c) => describeSignatureChange(c, (text) => JSON.stringify(text)));
  const more = breaks.length > MAX_DESCRIBED ? `; and ${breaks.length - MAX_DESCRIBED} more` : '';
  const message = `Cannot replace ${model} by ${subject.label} for today's clients: ${described.join('; ')}${more}, expected a signature that fits their requests and the answers that they read`;
  const hint = joinHints(
    `Log the model with such a signature, serve it as an endpoint of its own, or write in davit.breaking of ${subject.endpoint.file} why it may break them`,
    hasOldReason ? 'The reason in the file is that of an earlier change: replace it' : undefined,
  );
  const make = hasTraffic ? makeError : makeWarning;
  return [make('signature-breaking', locateVersion(subject), message, hint)];
}

/**
 * The predictions of all inputs count, and also those of the base branch's inputs alone: the pull request could add many
 * inputs of which both versions predict the same.
 */
function checkShare(comparison: Comparison, context: ComparisonContext): readonly Diagnostic[] {
  const { model, predictions } = comparison;
  const { subject, policy } = context;
  if (!hasLimit(policy)) return [];
  const { maxChanged } = policy;
  if (!predictions || predictions.rows === 0) return reportMissing(comparison, context);
  const known = predictions.inputs.filter((input) => input.of !== 'new');
  const sum = (field: 'rows' | 'changed') => known.reduce((total, input) => total + input[field], 0);
  const shares = [
    { ...predictions, of: '' },
    { rows: sum('rows'), changed: sum('changed'), of: " for the base branch's inputs" },
  ];
  const over = shares.find(({ rows, changed }) => !isWithin(changed, rows, maxChanged));
  if (!over) return [];
  const { changed, rows, of } = over;
  const message = `Cannot replace ${model} by ${subject.label}: ${changed} of ${pluralize(rows, 'prediction')}${of} ${changed === 1 ? 'differs' : 'differ'} (${renderShare(changed, rows)}), expected at most ${renderShare(maxChanged, 1)}`;
  const hint =
    'The review shows the rows that changed most. If the change is right, raise policy.max_changed of the environment first, in a pull request of its own';
  return [makeError('predictions-changed', locateVersion(subject), message, hint)];
}

/** `100%` allows every change, so nothing has to be compared. */
function hasLimit(policy: ComparisonPolicy): policy is ComparisonPolicy & { readonly maxChanged: number } {
  return policy.maxChanged !== undefined && policy.maxChanged < 1;
}

/** 29 of 100 are within 29%, although 0.29 * 100 is less than 29 as a double. */
function isWithin(changed: number, rows: number, share: number): boolean {
  return changed <= share * rows * (1 + 4 * Number.EPSILON);
}

function reportMissing({ model, note }: Comparison, context: ComparisonContext): readonly Diagnostic[] {
  const { subject, missing, isRefused, policy } = context;
  if (missing?.cause === 'outage' || (missing?.cause === 'unproved' && isRefused)) return [];
  const message = `Cannot compare ${subject.label} with ${model}: ${note ?? NOTHING_COMPARED}, expected predictions of which at most ${renderShare(policy.maxChanged ?? 1, 1)} differ`;
  const hint = `Add an input that both versions answer to davit.served_entities.${subject.entity.name}.validation in ${subject.endpoint.file}, or set policy.max_changed of the environment to 100% first, in a pull request of its own`;
  return [makeError('predictions-not-compared', locateVersion(subject), message, hint)];
}

const NOTHING_COMPARED = 'there is no prediction of both versions for any input';

/** The base branch has files that cannot be compared with. */
export function reportWrongBase(subject: Subject, policy: ComparisonPolicy, why: string): Diagnostic {
  const message = `Cannot compare ${subject.label} with the base branch: ${why}, expected an endpoint file and a lock without errors there`;
  if (!hasLimit(policy)) return makeWarning('predictions-not-compared', locateVersion(subject), message);
  const hint =
    'Set policy.max_changed of the environment to 100% first, in a pull request of its own: then this one can correct the files';
  return makeError('predictions-not-compared', locateVersion(subject), message, hint);
}

/** An outage leaves unknown whether the predictions are within the limit. Undefined: there is none, or there is no limit. */
export function findComparisonOutage({ missing, policy }: ComparisonContext): string | undefined {
  return hasLimit(policy) && missing?.cause === 'outage' ? missing.note : undefined;
}

function locateVersion({ entity }: Subject) {
  return entity.modelPlaces?.version ?? entity.place;
}
