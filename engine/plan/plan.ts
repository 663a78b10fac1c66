import type { EngineEvent, StepEventMetadata } from '@pulumi/pulumi/automation/index.js';
import {
  type Operation,
  OPERATIONS,
  type Plan,
  type PlannedResource,
  type PropertyDifference,
} from '../../schemas/report/plan.ts';
import { redactPair, valueAt } from './property-values.ts';
import { makeVerdict } from './verdict.ts';

/** Makes the plan of one stack from the engine's events of a preview or an update. */
export function makePlan(stack: string, events: readonly EngineEvent[]): Plan {
  const steps = events.flatMap((e) => (e.resourcePreEvent ? [e.resourcePreEvent.metadata] : []));
  const byUrn = new Map(steps.flatMap((step) => makeResource(step)).map((r) => [`${r.urn} ${r.operation}`, r]));
  const resources = [...byUrn.values()];
  const count = (operation: Operation) => resources.filter((r) => r.operation === operation).length;
  return {
    stack,
    resources,
    counts: Object.fromEntries(OPERATIONS.map((o) => [o, count(o)])) as Plan['counts'],
    verdict: { ...makeVerdict(resources), notes: [] },
  };
}

/** The last part of a URN: the resource's name. */
export function resourceName(urn: string): string {
  return urn.split('::').slice(3).join('::');
}

/** The engine's steps that a plan counts; the others are parts of a replacement or change nothing. */
const PLANNED: Readonly<Partial<Record<string, Operation>>> = {
  create: 'create',
  import: 'create',
  update: 'update',
  replace: 'replace',
  'create-replacement': 'replace',
  delete: 'delete',
  same: 'same',
  refresh: 'same',
};

function makeResource(step: StepEventMetadata): readonly PlannedResource[] {
  const operation = PLANNED[step.op];
  const custom = (step.new ?? step.old)?.custom ?? false; // components have no inputs of their own
  if (!operation || !custom || step.type.startsWith('pulumi:')) return [];
  const { urn, type } = step;
  return [{ urn, type, name: resourceName(urn), operation, differences: makeDifferences(operation, step) }];
}

function makeDifferences(operation: Operation, step: StepEventMetadata): readonly PropertyDifference[] {
  const { before, after } = redactPair(step.old?.inputs ?? {}, step.new?.inputs ?? {});
  if (operation === 'create') {
    return Object.entries(after as Readonly<Record<string, unknown>>).map(([path, value]) => ({
      path,
      change: 'add',
      replaces: false,
      old: undefined,
      new: value,
    }));
  }
  return Object.entries(step.detailedDiff ?? {}).map(([path, { diffKind }]) => ({
    path,
    change: diffKind.split('-', 1)[0] as PropertyDifference['change'],
    replaces: diffKind.endsWith('-replace'),
    old: valueAt(before, path),
    new: valueAt(after, path),
  }));
}
