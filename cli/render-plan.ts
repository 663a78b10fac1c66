import { resourceKind, toldDifferences } from '../review/told-differences.ts';
import type { Plan, PlannedResource } from '../schemas/plan.ts';
import { renderValue } from '../schemas/render-issue.ts';

const SIGNS = { create: '+', update: '~', replace: '±', delete: '-', same: ' ' } as const;

/** A plan for a person: the verdict, then each resource that changes with what differs. */
export function renderPlan(endpoint: string, plan: Plan): string {
  const changed = plan.resources.filter((r) => r.operation !== 'same');
  return [`${endpoint}: ${plan.verdict.words}`, ...changed.flatMap(renderResource), ''].join('\n');
}

function renderResource(resource: PlannedResource): readonly string[] {
  const { operation, type, name } = resource;
  return [
    `  ${SIGNS[operation]} ${resourceKind(type)} ${name}`,
    ...toldDifferences(resource).map((d) => `      ${d.path}: ${renderSide(d.old)} → ${renderSide(d.new)}`),
  ];
}

function renderSide(value: unknown): string {
  return value === undefined ? '(none)' : renderValue(value);
}
