import { type Diagnostic, makeError, makeWarning } from '../../schemas/diagnostic.ts';
import type { Comparison } from '../../schemas/report/comparison.ts';
import { describeSignatureChange, renderShare } from '../../schemas/report/describe-signature-change.ts';
import type { ComparisonPolicy } from '../policy.ts';
import { joinHints, type Subject } from '../subject.ts';

const MAX_DESCRIBED = 3;

export interface ComparisonContext {
  readonly subject: Subject;
  readonly policy: ComparisonPolicy;
  /** Whether the entity gets a share of the requests. */
  readonly hasTraffic: boolean;
  /** Whether `davit.breaking` is the reason of an earlier change. */
  readonly hasOldReason: boolean;
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
  const message = `Cannot replace ${model} by ${subject.label} for clients of today: ${described.join('; ')}${more}, expected a signature that their requests and their reading of answers fit`;
  const hint = joinHints(
    `Log the model with such a signature, serve it as an endpoint of its own, or write in davit.breaking of ${subject.endpoint.file} why it may break them`,
    hasOldReason ? 'The reason in the file is that of an earlier change: replace it' : undefined,
  );
  const make = hasTraffic ? makeError : makeWarning;
  return [make('signature-breaking', locateVersion(subject), message, hint)];
}

function checkShare(
  { model, predictions }: Comparison,
  { subject, policy: { maxChanged } }: ComparisonContext,
): readonly Diagnostic[] {
  if (!predictions || maxChanged === undefined || predictions.changed <= maxChanged * predictions.rows) return [];
  const { changed, rows } = predictions;
  const message = `Cannot replace ${model} by ${subject.label}: ${changed} of ${rows} predictions differ (${renderShare(changed, rows)}), expected at most ${renderShare(maxChanged, 1)}`;
  const hint =
    'The review shows the rows that changed most. If the change is right, raise policy.max_changed of the environment first, in a pull request of its own';
  return [makeError('predictions-changed', locateVersion(subject), message, hint)];
}

function locateVersion({ entity }: Subject) {
  return entity.modelPlaces?.version ?? entity.place;
}
