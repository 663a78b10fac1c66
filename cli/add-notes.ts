import type { Plan } from '../schemas/plan.ts';

/** The plan with more to know beside its verdict. */
export function addNotes(plan: Plan, notes: readonly string[]): Plan {
  return { ...plan, verdict: { ...plan.verdict, notes: [...plan.verdict.notes, ...notes] } };
}
