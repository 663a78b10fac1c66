import type { Plan } from '../schemas/report/plan.ts';

/** Adds notes to a plan's verdict. */
export function addNotes(plan: Plan, notes: readonly string[]): Plan {
  return { ...plan, verdict: { ...plan.verdict, notes: [...plan.verdict.notes, ...notes] } };
}
