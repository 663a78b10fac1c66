import type { EngineEvent } from '@pulumi/pulumi/automation/index.js';
import type { Plan } from '../../schemas/report/plan.ts';
import { digestResources } from './digest-resources.ts';
import { type EngineFailure, makeFailures } from './failures.ts';
import { makePlan } from './plan.ts';
import { redactValue } from './property-values.ts';
import type { StateLock } from '../state/state-lock.ts';

/** The result of an engine run on one stack. */
export interface Outcome {
  /** `locked`: nothing was done; `locks` names the holders. `cancelled`: the run was stopped and the state is valid. */
  readonly status: 'succeeded' | 'failed' | 'cancelled' | 'locked';
  /** The planned changes or, after an update, the changes that were made or tried. */
  readonly plan: Plan;
  readonly failures: readonly EngineFailure[];
  readonly locks: readonly StateLock[];
  /** The stack's outputs, with secrets as "[secret]"; empty when the stack has none. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** For each resource of the program: the rest of its URN → SHA-256 of its inputs. */
  readonly resources: Readonly<Record<string, string>>;
}

/** A stack, and the absolute path of its project. */
export interface StackLocation {
  readonly stack: string;
  readonly root: string;
}

/** Makes the outcome from the engine's events. */
export function makeOutcome(
  { stack, root }: StackLocation,
  status: Outcome['status'],
  events: readonly EngineEvent[],
): Outcome {
  return {
    status,
    plan: makePlan(stack, events),
    failures: status === 'cancelled' ? [] : makeFailures(events), // the engine's errors only repeat that it was stopped
    locks: [],
    outputs: makeOutputs(events),
    resources: digestResources(events, root),
  };
}

/** Makes the outcome of a stack that somebody else is changing; `message` is for the user. */
export function makeLockedOutcome(
  place: StackLocation,
  { message, locks = [] }: { readonly message: string; readonly locks?: readonly StateLock[] },
): Outcome {
  return { ...makeOutcome(place, 'locked', []), failures: [{ resource: undefined, message }], locks };
}

function makeOutputs(events: readonly EngineEvent[]): Readonly<Record<string, unknown>> {
  const stacks = events.flatMap((e) => {
    const step = e.resOutputsEvent?.metadata;
    return step?.type === 'pulumi:pulumi:Stack' && step.new ? [step.new.outputs] : [];
  });
  return redactValue(stacks.at(-1) ?? {}) as Readonly<Record<string, unknown>>;
}
