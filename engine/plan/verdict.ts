import type { Operation, PlannedResource, Verdict } from '../../schemas/report/plan.ts';
import { summarizeResources, type ResourceSummary } from '../../schemas/deployment/resource-summary.ts';

/**
 * Resource types that stand for one revision: ours on this machine, and on Kubernetes the Configuration that makes it.
 */
const REVISION = /^(davit:local:Revision|kubernetes:serving\.knative\.dev\/v1:Configuration)$/;

const MAX_CHANGES = 10;
const MAX_PATHS = 3;

/** Summarizes a plan in words. Every target has revisions and routes, whatever its resources are. */
export function makeVerdict(resources: readonly PlannedResource[]): Omit<Verdict, 'notes'> {
  const changed = resources.filter((r) => r.operation !== 'same');
  if (changed.length === 0) return { kind: 'no-change', words: 'no change' };
  if (changed.length === resources.length && isEvery(changed, 'create')) {
    return { kind: 'create', words: withNames('create', revisions(changed, 'create')) };
  }
  if (changed.length === resources.length && isEvery(changed, 'delete')) {
    return { kind: 'delete', words: withNames('delete', revisions(changed, 'delete')) };
  }
  const retried = changed.filter((r) => r.operation === 'update' && r.differences.length === 0); // was not ready
  const recreated = revisions(changed, 'replace').filter((name) => isRecreated(changed, name));
  if (recreated.length > 0) return { kind: 'recreate', words: `recreate, with downtime: ${recreated.join(', ')}` };
  const fresh = [...revisions(changed, 'create'), ...revisions(changed, 'replace'), ...revisions(retried, 'update')];
  const gone = revisions(changed, 'delete');
  if (fresh.length + gone.length > 0) return { kind: 'rolling-update', words: describeRollingUpdate(gone, fresh) };
  return { kind: 'update-in-place', words: withNames('update in place', describeChanges(changed)) };
}

function isEvery(resources: readonly PlannedResource[], operation: Operation): boolean {
  return resources.every((r) => r.operation === operation);
}

function revisions(resources: readonly PlannedResource[], operation: Operation): readonly string[] {
  return resources.filter((r) => REVISION.test(r.type) && r.operation === operation).map((r) => r.name);
}

function withNames(words: string, names: readonly string[]): string {
  return names.length === 0 ? words : `${words}: ${names.join(', ')}`;
}

function describeRollingUpdate(gone: readonly string[], fresh: readonly string[]): string {
  if (gone.length === 0) return `rolling update: adds ${fresh.join(', ')}`;
  if (fresh.length === 0) return `rolling update: removes ${gone.join(', ')}`;
  return `rolling update: ${gone.join(', ')} → ${fresh.join(', ')}`;
}

function describeChanges(changed: readonly PlannedResource[]): readonly string[] {
  return shorten(summarizeResources(changed).map(describeChange), MAX_CHANGES);
}

function describeChange({ name, operation, differences }: ResourceSummary<Operation>): string {
  // For a changed file, show only its name.
  const places = new Set(differences.map(({ path }) => path.split(' › ')[0] ?? path));
  const paths = shorten([...places], MAX_PATHS).join(', ');
  return operation === 'update' && paths ? `${name} (${paths})` : `${operation} ${name}`;
}

function shorten(items: readonly string[], most: number): readonly string[] {
  return items.length <= most + 1 ? items : [...items.slice(0, most), `and ${items.length - most} more`];
}

/** On Kubernetes a revision is replaced only when the endpoint asks for it, and then the old one ends first. */
function isRecreated(resources: readonly PlannedResource[], name: string): boolean {
  return resources.some((r) => r.name === name && r.operation === 'replace' && r.type.startsWith('kubernetes:'));
}
