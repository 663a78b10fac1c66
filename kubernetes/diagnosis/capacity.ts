import type { Toleration } from '../../schemas/environment/hardware.ts';
import { type KubernetesApi, KubernetesRefused } from '../client/api.ts';
import type { ApiRequestOptions } from '../client/connection.ts';
import { addAmounts, type Amounts, parseAmounts } from './amounts.ts';

/** The capacity of a cluster. */
export interface Capacity {
  readonly nodes: readonly NodeCapacity[];
  readonly quotas: readonly Quota[];
}

export interface NodeCapacity {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** What all its pods may request together, and how much of that is free. */
  readonly allocatable: Amounts;
  readonly free: Amounts;
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

/** A quota of the models' namespace, such as `requests.cpu`. */
export interface Quota {
  readonly name: string;
  readonly hard: Amounts;
  readonly used: Amounts;
}

/** The fields of a node that are read here. */
export interface NodeObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly Taint[] };
  readonly status?: {
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** The fields of a pod that determine the room it takes. */
export interface PodObject {
  readonly spec?: PodRequirements;
  readonly status?: { readonly phase?: string };
}

export interface PodRequirements {
  readonly nodeName?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
  readonly containers?: readonly ContainerRequirements[];
  readonly initContainers?: readonly (ContainerRequirements & { readonly restartPolicy?: string })[];
  readonly overhead?: Readonly<Record<string, string>>;
}

interface ContainerRequirements {
  readonly name?: string;
  /** `File`: Kubernetes keeps the message that the program wrote for its end, and not the end of its log. */
  readonly terminationMessagePolicy?: string;
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
}

interface QuotaObject {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly hard?: Readonly<Record<string, string>>;
    readonly used?: Readonly<Record<string, string>>;
  };
}

/** Reads the capacity; undefined: the user may not list nodes or the pods of others. */
export async function readCapacity(
  api: KubernetesApi,
  { namespace, ...options }: ApiRequestOptions & { readonly namespace: string },
): Promise<Capacity | undefined> {
  try {
    const [nodes, pods, quotas] = await Promise.all([
      api.list<NodeObject>('/api/v1/nodes', options),
      api.list<PodObject>('/api/v1/pods', {
        ...options,
        fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed,spec.nodeName!=',
      }),
      api.list<QuotaObject>(`/api/v1/namespaces/${namespace}/resourcequotas`, options),
    ]);
    return { nodes: measureNodes(nodes, pods), quotas: quotas.map(readQuota) };
  } catch (e) {
    if (e instanceof KubernetesRefused && e.status === 403) return undefined;
    throw e;
  }
}

/** The nodes that accept pods, with their free capacity. */
export function measureNodes(nodes: readonly NodeObject[], pods: readonly PodObject[]): readonly NodeCapacity[] {
  const byNode = Map.groupBy(pods, (pod) => pod.spec?.nodeName ?? '');
  const open = nodes.filter(
    (n) =>
      n.spec?.unschedulable !== true && n.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
  );
  return open.map(({ metadata: { name, labels = {} }, spec, status }) => {
    const allocatable = parseAmounts(status?.allocatable);
    const used = (byNode.get(name) ?? []).map((pod) => sumPodRequests(pod.spec));
    const free = used.reduce((left, amounts) => addAmounts(left, amounts, -1), allocatable);
    return { name, labels, taints: spec?.taints ?? [], allocatable, free };
  });
}

/** The requests of a pod as the scheduler counts them. */
export function sumPodRequests(pod: PodRequirements | undefined): Amounts {
  const { containers = [], initContainers = [], overhead } = pod ?? {};
  const besides = initContainers.filter((c) => c.restartPolicy === 'Always');
  const running = [...containers, ...besides].map(readContainerRequests).reduce((a, b) => addAmounts(a, b), {});
  // Init containers that end before the others start need no room beside them.
  const before = initContainers.filter((c) => c.restartPolicy !== 'Always').map(readContainerRequests);
  const most = before.reduce((a, b) => maxAmounts(a, b), running);
  return addAmounts(addAmounts(most, parseAmounts(overhead)), { pods: 1 });
}

function readContainerRequests({ resources = {} }: ContainerRequirements): Amounts {
  return parseAmounts({ ...resources.limits, ...resources.requests });
}

function maxAmounts(a: Amounts, b: Amounts): Amounts {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, Math.max(a[name] ?? 0, b[name] ?? 0)]));
}

function readQuota({ metadata, status }: QuotaObject): Quota {
  return { name: metadata.name, hard: parseAmounts(status?.hard), used: parseAmounts(status?.used) };
}
