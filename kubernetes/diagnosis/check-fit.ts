import type { Toleration } from '../../schemas/environment/hardware.ts';
import { type Capacity, type NodeCapacity, type PodRequirements, sumPodRequests, type Taint } from './capacity.ts';
import { addAmounts, type Amounts, describeAmount } from './amounts.ts';

/** A number of equal pods. */
export interface PodGroup {
  readonly count: number;
  readonly room: PodRequirements;
}

/** `words` continues a sentence that starts with a name: `needs 1 nvidia.com/gpu more than is free`. */
export type Fit = { readonly fits: true } | { readonly fits: false; readonly missing: Amounts; readonly words: string };

export interface FitOptions {
  /** The new pods run beside those that they replace, and the sentence about missing room says so. */
  readonly bothVersionsRun?: boolean;
}

/** A pod to be scheduled. */
interface PendingPod {
  readonly room: PodRequirements;
  readonly requests: Amounts;
}

/**
 * Whether new pods fit beside the running ones. The largest is placed first, each on the first node that can take it.
 */
export function checkFit(
  { nodes, quotas }: Capacity,
  wanted: readonly PodGroup[],
  { bothVersionsRun = false }: FitOptions = {},
): Fit {
  const seekers = wanted.flatMap(({ count, room }) =>
    Array.from({ length: count }, (): PendingPod => ({ room, requests: sumPodRequests(room) })),
  );
  const largest = [...seekers].sort((a, b) => computeLargestShare(b, nodes) - computeLargestShare(a, nodes));
  const free = new Map(nodes.map((node) => [node, node.free]));
  const reasons: string[] = [];
  let missing: Amounts = {};
  for (const seeker of largest) {
    const impossible = explainUnschedulable(seeker, nodes);
    if (impossible !== undefined) {
      reasons.push(impossible);
      continue;
    }
    const { node, lack } = chooseNode(seeker, nodes, free);
    missing = addAmounts(missing, lack);
    // A pod that lacks room is placed all the same, so that the next one lacks room too.
    free.set(node, addAmounts(free.get(node) ?? {}, addAmounts(seeker.requests, lack, -1), -1));
  }
  const over = describeExceededQuotas(quotas, seekers);
  if (Object.keys(missing).length > 0)
    reasons.unshift(describeMissing(missing, seekers) + (bothVersionsRun ? ' while both versions run' : ''));
  if (reasons.length === 0 && over.length === 0) return { fits: true };
  return { fits: false, missing, words: [...new Set([...reasons, ...over])].join('; ') };
}

/**
 * The largest share of a whole node that the pod requests. A pod with a GPU comes first, because few nodes can take it.
 */
function computeLargestShare({ requests }: PendingPod, nodes: readonly NodeCapacity[]): number {
  const shares = Object.entries(requests).map(([name, amount]) => {
    const most = Math.max(...nodes.map((n) => n.allocatable[name] ?? 0));
    return (most > 0 ? amount / most : 1) + (name.includes('/') && amount > 0 ? 1 : 0);
  });
  return Math.max(0, ...shares);
}

/** Why no node could ever take the pod, even if it were empty. */
function explainUnschedulable({ room, requests }: PendingPod, nodes: readonly NodeCapacity[]): string | undefined {
  const selected = nodes.filter((node) => matchesSelector(node, room));
  const selector = describeSelector(room);
  if (selected.length === 0)
    return nodes.length === 0 ? 'finds no node that is ready' : `finds no node with ${selector}`;
  const tolerated = selected.filter((node) => findUntoleratedTaint(node, room) === undefined);
  if (tolerated.length === 0) {
    const taints = new Set(selected.map((node) => describeTaint(findUntoleratedTaint(node, room))));
    return `does not tolerate the taints of its nodes: ${[...taints].join(', ')}`;
  }
  if (tolerated.some((node) => isEmpty(computeShortfall(requests, node.allocatable)))) return undefined;
  return describeClosestNode(requests, tolerated);
}

/** The requests that the node closest to them cannot take, and the amounts that it has. */
function describeClosestNode(requests: Amounts, nodes: readonly NodeCapacity[]): string {
  const choices = nodes.map(({ allocatable }) => ({ allocatable, lack: computeShortfall(requests, allocatable) }));
  const [closest] = choices.sort((a, b) => sumShortfall(a.lack, requests) - sumShortfall(b.lack, requests));
  const parts = Object.keys(closest?.lack ?? {}).map((name) => {
    const amount = closest?.allocatable[name] ?? 0;
    const which = nodes.some((node) => (node.allocatable[name] ?? 0) > amount) ? 'closest' : 'largest';
    return `${describeAmount(name, requests[name] ?? 0)}, and the ${which} node has ${describeAmount(name, amount)}`;
  });
  return `needs ${parts.join('; ')}`;
}

/** The first node that can take the pod, else the one that lacks least. */
function chooseNode(
  { room, requests }: PendingPod,
  nodes: readonly NodeCapacity[],
  free: ReadonlyMap<NodeCapacity, Amounts>,
): { readonly node: NodeCapacity; readonly lack: Amounts } {
  const possible = nodes.filter(
    (node) =>
      matchesSelector(node, room) &&
      findUntoleratedTaint(node, room) === undefined &&
      isEmpty(computeShortfall(requests, node.allocatable)),
  );
  const choices = possible.map((node) => ({ node, lack: computeShortfall(requests, free.get(node) ?? {}) }));
  const best = choices.reduce((a, b) => (sumShortfall(b.lack, requests) < sumShortfall(a.lack, requests) ? b : a));
  return choices.find(({ lack }) => isEmpty(lack)) ?? best;
}

/** The part of the requests that exceeds what is there. */
function computeShortfall(requests: Amounts, there: Amounts): Amounts {
  const lack = Object.entries(addAmounts(requests, there, -1));
  return Object.fromEntries(lack.filter(([name, amount]) => amount > 0 && (requests[name] ?? 0) > 0));
}

/** Adds the missing shares of the requests, because the amounts have different units. */
function sumShortfall(lack: Amounts, requests: Amounts): number {
  return Object.entries(lack).reduce((sum, [name, amount]) => sum + amount / (requests[name] ?? amount), 0);
}

function isEmpty(amounts: Amounts): boolean {
  return Object.keys(amounts).length === 0;
}

function matchesSelector({ labels }: NodeCapacity, { nodeSelector = {} }: PodRequirements): boolean {
  return Object.entries(nodeSelector).every(([name, value]) => labels[name] === value);
}

function findUntoleratedTaint({ taints }: NodeCapacity, { tolerations = [] }: PodRequirements): Taint | undefined {
  return taints.find((taint) => taint.effect !== 'PreferNoSchedule' && !tolerations.some((t) => tolerates(t, taint)));
}

function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key === undefined || key === '') return operator === 'Exists';
  return key === taint.key && (operator === 'Exists' || value === (taint.value ?? ''));
}

/** The quotas that the pods would exceed together, whatever room the nodes have. */
function describeExceededQuotas(quotas: Capacity['quotas'], seekers: readonly PendingPod[]): readonly string[] {
  const wanted = seekers.reduce<Amounts>((sum, { requests }) => addAmounts(sum, requests), {});
  return quotas.flatMap(({ name, hard, used }) => {
    const over = Object.entries(hard).flatMap(([key, limit]) => {
      const resource = key.replace(/^requests\./, '');
      const more = (used[key] ?? 0) + (wanted[resource] ?? 0) - limit;
      return more > 0 && (wanted[resource] ?? 0) > 0 ? [describeAmount(resource, more)] : [];
    });
    return over.length > 0 ? [`exceeds the quota "${name}" by ${enumerate(over)}`] : [];
  });
}

function describeMissing(missing: Amounts, seekers: readonly PendingPod[]): string {
  const amounts = Object.entries(missing).map(([name, amount]) => {
    const selector = describeSelector(
      seekers.find((s) => name.includes('/') && (s.requests[name] ?? 0) > 0)?.room ?? {},
    );
    return `${describeAmount(name, amount)}${selector === '' ? '' : ` (${selector})`}`;
  });
  return `needs ${enumerate(amounts)} more than is free`;
}

function describeSelector({ nodeSelector = {} }: PodRequirements): string {
  return Object.entries(nodeSelector)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

function describeTaint(taint: Taint | undefined): string {
  return taint === undefined ? '' : `${taint.key}${taint.value ? `=${taint.value}` : ''}:${taint.effect}`;
}

function enumerate(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}
