import { describe, expect, test } from 'vitest';
import {
  type Capacity,
  measureNodes,
  type NodeObject,
  type PodObject,
  sumPodRequests,
} from '../../../kubernetes/diagnosis/capacity.ts';
import { checkFit, type PodGroup } from '../../../kubernetes/diagnosis/check-fit.ts';
import { describeAmount, parseQuantity } from '../../../kubernetes/diagnosis/amounts.ts';

test.each([
  ['500m', 0.5],
  ['2', 2],
  ['1.5', 1.5],
  ['25m', 0.025],
  ['4Gi', 4 * 2 ** 30],
  ['128974848', 128_974_848],
  ['129M', 129e6],
  ['123e6', 123e6],
  ['1E', 1e18],
  ['100n', 0],
  ['7500000n', 0.0075],
  ['24581696Ki', 24_581_696 * 1024],
])('parseQuantity(%s)', (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});

test('parseQuantity() refuses text that is not a quantity', () => {
  for (const text of ['', 'many', '4 Gi', '4gi'])
    expect(() => parseQuantity(text)).toThrow(/^Cannot read ".*" as a quantity/);
});

test.each([
  ['cpu', 1, '1 processor'],
  ['cpu', 0.125, '0.13 processors'],
  ['memory', 3.5 * 2 ** 30, '3.5 GiB of memory'],
  ['memory', 300 * 2 ** 20, '300 MiB of memory'],
  ['nvidia.com/gpu', 2, '2 nvidia.com/gpu'],
  ['pods', 1, '1 pod'],
])('describeAmount(%s, %d)', (resource, amount, text) => {
  expect(describeAmount(resource, amount)).toBe(text);
});

test('sumPodRequests() sums the same requests as the scheduler', () => {
  const container = (requests: object, limits = {}) => ({ resources: { requests: { ...requests }, limits } });
  const pod = {
    containers: [
      container({ cpu: '1', memory: '1Gi' }),
      container({ cpu: '25m' }, { memory: '1Gi', 'nvidia.com/gpu': '1' }),
    ],
    initContainers: [
      { ...container({ cpu: '100m' }), restartPolicy: 'Always' },
      container({ cpu: '2', memory: '1Mi' }),
    ],
    overhead: { memory: '1Gi' },
  };
  expect(sumPodRequests(pod)).toEqual({ cpu: 2, memory: 3 * 2 ** 30, 'nvidia.com/gpu': 1, pods: 1 });
});

test('measureNodes() leaves out nodes that accept no pods, and pods without a node', () => {
  const ready = [{ type: 'Ready', status: 'True' }];
  const node = (name: string, more: Partial<NodeObject> = {}): NodeObject => ({
    metadata: { name },
    status: { allocatable: { cpu: '2', memory: '4Gi', pods: '110' }, conditions: ready },
    ...more,
  });
  const pod = (nodeName?: string): PodObject => ({
    spec: { ...(nodeName !== undefined && { nodeName }), containers: [{ resources: { requests: { cpu: '500m' } } }] },
  });
  const nodes = [
    node('a'),
    node('cordoned', { spec: { unschedulable: true } }),
    node('gone', { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }),
  ];
  expect(measureNodes(nodes, [pod('a'), pod('a'), pod(), pod('gone')])).toEqual([
    {
      name: 'a',
      labels: {},
      taints: [],
      allocatable: { cpu: 2, memory: 4 * 2 ** 30, pods: 110 },
      free: { cpu: 1, memory: 4 * 2 ** 30, pods: 108 },
    },
  ]);
});

const GPU = 'nvidia.com/gpu';
const T4 = { 'nvidia.com/gpu.product': 'Tesla-T4' };
const TAINT = { key: GPU, value: 'present', effect: 'NoSchedule' };
const TOLERATION = { key: GPU, operator: 'Exists', effect: 'NoSchedule' } as const;

function plain(name: string, free: object, allocatable: object = { cpu: 8, memory: 32 * 2 ** 30, pods: 110 }) {
  return { name, labels: {}, taints: [], allocatable: { ...allocatable }, free: { ...allocatable, ...free } };
}

function card(name: string, free: number, all = 4) {
  const node = plain(name, { [GPU]: free }, { cpu: 8, memory: 32 * 2 ** 30, pods: 110, [GPU]: all });
  return { ...node, labels: T4, taints: [TAINT] };
}

function want(
  count: number,
  requests: Readonly<Record<string, string>>,
  room: Partial<PodGroup['room']> = {},
): PodGroup {
  return { count, room: { containers: [{ resources: { requests } }], ...room } };
}

const onCards = { nodeSelector: T4, tolerations: [TOLERATION] };

interface Row {
  readonly what: string;
  readonly nodes: Capacity['nodes'];
  readonly quotas?: Capacity['quotas'];
  readonly wanted: readonly PodGroup[];
  /** Undefined: the pods fit. */
  readonly words?: string;
}

const ROWS: readonly Row[] = [
  { what: 'there is room', nodes: [plain('a', { cpu: 2 })], wanted: [want(2, { cpu: '1' })] },
  { what: 'nothing is wanted', nodes: [], wanted: [] },
  {
    what: 'processors of several replicas',
    nodes: [plain('a', { cpu: 2.5 })],
    wanted: [want(4, { cpu: '1' })],
    words: 'needs 1.5 processors more than is free',
  },
  {
    what: 'the large ones first, so that all find room',
    nodes: [plain('a', { cpu: 4 }), plain('b', { cpu: 3 })],
    wanted: [want(3, { cpu: '1' }), want(1, { cpu: '4' })],
  },
  {
    what: 'room in sum, and not on one node',
    nodes: [plain('a', { cpu: 1 }), plain('b', { cpu: 1.5 })],
    wanted: [want(1, { cpu: '2' })],
    words: 'needs 0.5 processors more than is free',
  },
  {
    what: 'cards while both versions run',
    nodes: [plain('a', {}), card('b', 1)],
    wanted: [want(2, { [GPU]: '1', memory: '16Gi' }, onCards)],
    words: 'needs 1 nvidia.com/gpu (nvidia.com/gpu.product=Tesla-T4) more than is free',
  },
  {
    what: 'a card is left to who needs it',
    nodes: [card('a', 1), plain('b', { cpu: 4 })],
    wanted: [want(1, { cpu: '8' }, { tolerations: [TOLERATION] }), want(1, { [GPU]: '1', cpu: '1' }, onCards)],
    words: 'needs 1 processor more than is free',
  },
  {
    what: 'no such node',
    nodes: [plain('a', {})],
    wanted: [want(1, { [GPU]: '1' }, onCards)],
    words: 'finds no node with nvidia.com/gpu.product=Tesla-T4',
  },
  { what: 'no node at all', nodes: [], wanted: [want(1, { cpu: '1' })], words: 'finds no node that is ready' },
  {
    what: 'a taint',
    nodes: [card('a', 1)],
    wanted: [want(1, { [GPU]: '1' }, { nodeSelector: T4 })],
    words: 'does not tolerate the taints of its nodes: nvidia.com/gpu=present:NoSchedule',
  },
  {
    what: 'a taint that only says what is preferred',
    nodes: [{ ...plain('a', {}), taints: [{ key: 'a', effect: 'PreferNoSchedule' }] }],
    wanted: [want(1, { cpu: '1' })],
  },
  {
    what: 'larger than every node',
    nodes: [plain('a', {}), card('b', 4)],
    wanted: [want(1, { cpu: '64', memory: '1Gi' })],
    words: 'needs 64 processors, and the largest node has 8 processors',
  },
  {
    what: 'larger than every node, with the closest one by shares and not by numbers',
    nodes: [
      plain('few processors', {}, { cpu: 1, memory: 64 * 2 ** 30, pods: 110 }),
      plain('little memory', {}, { cpu: 64, memory: 63 * 2 ** 30, pods: 110 }),
    ],
    wanted: [want(1, { cpu: '64', memory: '64Gi' })],
    words: 'needs 64 GiB of memory, and the closest node has 63 GiB of memory',
  },
  {
    what: 'a node full of pods',
    nodes: [plain('a', { pods: 0 })],
    wanted: [want(1, { cpu: '1' })],
    words: 'needs 1 pod more than is free',
  },
  {
    what: 'a quota',
    nodes: [plain('a', {})],
    quotas: [
      {
        name: 'davit',
        hard: { 'requests.cpu': 4, 'requests.memory': 2 ** 33, [`requests.${GPU}`]: 0, pods: 100 },
        used: { 'requests.cpu': 3, 'requests.memory': 2 ** 32, pods: 4 },
      },
    ],
    wanted: [want(2, { cpu: '1', memory: '1Gi' })],
    words: 'exceeds the quota "davit" by 1 processor',
  },
];

describe('checkFit()', () => {
  test.each(ROWS)('$what', ({ nodes, quotas = [], wanted, words }) => {
    const fit = checkFit({ nodes, quotas }, wanted);
    expect(fit.fits ? undefined : fit.words).toBe(words);
  });

  test('returns the amount that is missing', () => {
    const nodes = [card('a', 1), card('b', 0)];
    const fit = checkFit({ nodes, quotas: [] }, [want(1, { [GPU]: '4' }, onCards), want(1, { [GPU]: '1' }, onCards)]);
    expect(fit).toMatchObject({ fits: false, missing: { [GPU]: 4 } });
  });
});
