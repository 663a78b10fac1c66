import type { Operation, Plan } from '../schemas/report/plan.ts';
import { renderValue } from '../schemas/yaml/render-issue.ts';
import { tellResources, type ToldResource } from '../schemas/deployment/resource-summary.ts';

const SIGNS = { create: '+', update: '~', replace: '±', delete: '-', same: ' ' } as const;

/** A plan as text: the verdict, its notes, and each changed resource with its differences. */
export function renderPlan(endpoint: string, { verdict, resources }: Plan): string {
  return [
    `${endpoint}: ${verdict.words}`,
    ...verdict.notes.map((note) => `    ${note}`),
    ...tellResources(resources).flatMap(renderResource),
    '',
  ].join('\n');
}

function renderResource({ operation, kind, name, differences }: ToldResource<Operation>): readonly string[] {
  return [
    `  ${SIGNS[operation]} ${kind} ${name}`,
    ...differences.map((d) => `      ${d.path}: ${renderSide(d.old)} → ${renderSide(d.new)}`),
  ];
}

function renderSide(value: unknown): string {
  return value === undefined ? '(none)' : renderValue(value);
}
