import type { Plan, PlannedResource } from '../schemas/plan.ts';
import { renderValue } from '../schemas/render-issue.ts';

const SIGNS = { create: '+', update: '~', replace: '±', delete: '-', same: ' ' } as const;
/** Said by the resource's name, or of no use to a reader. */
const QUIET = /^(name|endpoint|lock|model\.(uri|digest))$/;

/** A plan for a person: the verdict, then each resource that changes with what differs. */
export function renderPlan(endpoint: string, plan: Plan): string {
  const changed = plan.resources.filter((r) => r.operation !== 'same');
  return [`${endpoint}: ${plan.verdict.words}`, ...changed.flatMap(renderResource), ''].join('\n');
}

function renderResource({ operation, type, name, differences }: PlannedResource): readonly string[] {
  const told = operation === 'create' || operation === 'delete' ? [] : differences.filter((d) => !QUIET.test(d.path));
  const kind = type.split(':').at(-1) ?? type;
  return [
    `  ${SIGNS[operation]} ${kind} ${name}`,
    ...told.map((d) => `      ${d.path}: ${renderSide(d.old)} → ${renderSide(d.new)}`),
  ];
}

function renderSide(value: unknown): string {
  return value === undefined ? '(none)' : renderValue(value);
}
