import type { Bounds } from '../schemas/revision.ts';
import type { Autoscaling } from './control-protocol.ts';

/** What a decision looks at. Times in milliseconds on one clock. */
export interface ScalingInput {
  readonly now: number;
  /** Requests in flight and in the queue. */
  readonly load: number;
  /** Replicas that are wanted until now. */
  readonly wanted: number;
  /** Units in one replica. */
  readonly workers: number;
  readonly bounds: Bounds;
  readonly autoscaling: Autoscaling;
  /** When a request last came or ended. */
  readonly lastBusy: number;
  /** Since when one replica less would do; undefined: it would not. */
  readonly lowSince: number | undefined;
}

export interface ScalingDecision {
  readonly wanted: number;
  readonly lowSince: number | undefined;
}

/**
 * How many replicas there should be. Up at once, to what the load needs; down one by one, each after
 * `scaleDownSeconds` of lower traffic; to none after `idleSeconds` without a request.
 */
export function decideReplicas(input: ScalingInput): ScalingDecision {
  const { now, load, workers, bounds, autoscaling, lastBusy } = input;
  const floor = floorReplicas(bounds, workers);
  const wanted = Math.min(Math.max(input.wanted, floor), ceilingReplicas(bounds, workers));
  const needed = Math.min(Math.max(Math.ceil(load / workers), floor), ceilingReplicas(bounds, workers));
  if (needed > wanted) return { wanted: needed, lowSince: undefined };
  if (needed === wanted) return { wanted, lowSince: undefined };
  if (wanted === 1) {
    const idle = load === 0 && now - lastBusy >= autoscaling.idleSeconds * 1000;
    return { wanted: idle ? 0 : 1, lowSince: undefined };
  }
  const lowSince = input.lowSince ?? now;
  if (now - lowSince < autoscaling.scaleDownSeconds * 1000) return { wanted, lowSince };
  return { wanted: wanted - 1, lowSince: now };
}

/** Replicas that are always there: none only where the endpoint lets an idle model stop. */
export function floorReplicas({ min, scaleToZero }: Bounds, workers: number): number {
  return min === 0 && scaleToZero ? 0 : Math.max(1, Math.ceil(min / workers));
}

function ceilingReplicas({ max }: Bounds, workers: number): number {
  return Math.max(1, Math.ceil(max / workers));
}
