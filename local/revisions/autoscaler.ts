import type { Bounds } from '../../schemas/deployment/revision.ts';
import type { Autoscaling } from '../control/control-protocol.ts';

/** The input of a scaling decision. Times are milliseconds on one clock. */
export interface ScalingInput {
  readonly now: number;
  /** Requests in flight and in the queue. */
  readonly load: number;
  /** Current target number of replicas. */
  readonly wanted: number;
  /** Units of concurrency in one replica. */
  readonly workers: number;
  readonly bounds: Bounds;
  readonly autoscaling: Autoscaling;
  /** Time of the last start or end of a request. */
  readonly lastBusy: number;
  /** Since when one replica fewer would be enough. Undefined: it would not be enough. */
  readonly lowSince: number | undefined;
}

export interface ScalingDecision {
  readonly wanted: number;
  readonly lowSince: number | undefined;
}

/**
 * Decides the target number of replicas. Scales up immediately to match the load. Scales down by one replica after each
 * `scaleDownSeconds` of lower load, and to zero after `idleSeconds` without a request.
 */
export function decideReplicas(input: ScalingInput): ScalingDecision {
  const { now, load, workers, bounds, autoscaling, lastBusy } = input;
  const floor = minReplicas(bounds, workers);
  const wanted = Math.min(Math.max(input.wanted, floor), maxReplicas(bounds, workers));
  const needed = Math.min(Math.max(Math.ceil(load / workers), floor), maxReplicas(bounds, workers));
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

/** Minimum number of replicas. Zero only if the endpoint allows scale to zero. */
export function minReplicas({ min, scaleToZero }: Bounds, workers: number): number {
  return min === 0 && scaleToZero ? 0 : Math.max(1, Math.ceil(min / workers));
}

function maxReplicas({ max }: Bounds, workers: number): number {
  return Math.max(1, Math.ceil(max / workers));
}
