import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diagnosePods, diagnoseRevision } from '../../../kubernetes/diagnosis/diagnose-revision.ts';
import type { ObservedPod, ObservedRevision } from '../../../kubernetes/diagnosis/observe-revision.ts';

interface Recorded extends ObservedRevision {
  readonly now: string;
}

/** Reads the recorded objects of a revision on a real cluster (Kubernetes 1.34.4, Knative 1.21). */
function read(name: string): Recorded {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'recorded', `${name}.json`), 'utf8')) as Recorded;
}

function explain(observed: Recorded, { minReplicas = 1, waited = 0 } = {}) {
  const now = Date.parse(observed.now);
  const { state, message, hints } = diagnoseRevision(observed, { minReplicas, began: now - waited * 1000, now });
  return { state, message, hints };
}

const IMAGE = `test/none@sha256:${'0'.repeat(64)}`;
const PULL = [
  'Check that the nodes can reach the registry, that the registry has the image, and that images.pull_secret is right',
];
const ROOM = [
  'Free the missing resources, add nodes, choose another workload_type or, if the old and the new revision do not fit together, set davit: { rollout: recreate }',
];
const SECRET = [
  'Create it in the namespace of the models, or correct secrets of the environment or environment_vars of the endpoint',
];
const CRASH = [
  'behaving as crash',
  'Traceback (most recent call last):',
  "ModuleNotFoundError: No module named 'sklearn'",
];

const PRINTED = [
  'behaving as report',
  `{"event": "failed", "stage": "load", "message": "No module named 'sklearn'", "trace": "File \\"model.py\\", line 3"}`,
];

describe('diagnoseRevision() names the cause', () => {
  test.each([
    ['crash', 'The model server ended with exit code 3 (Error)', CRASH],
    ['crash-loop', 'The model server ended with exit code 3 (Error)', CRASH],
    // Recorded before the model server wrote a failure file. The end of a log can be the model's own output.
    ['report', 'The model server ended with exit code 1 (Error)', PRINTED],
    [
      'memory',
      'It exceeded its memory limit, so the kernel killed it (OOMKilled)',
      [
        'Choose a larger workload_type, or a workload_size with fewer units per replica, or give the type more memory in the environment',
        'behaving as memory',
      ],
    ],
    ['liveness', 'The model server was killed because it did not respond to its liveness probe', ['behaving as dead']],
    ['image-missing', `Its image cannot be pulled: localhost:5001/${IMAGE}: not found`, PULL],
    [
      'registry-down',
      `Its image cannot be pulled: localhost:5999/${IMAGE}: dial tcp 127.0.0.1:5999: connect: connection refused`,
      PULL,
    ],
    ['no-room', 'No node can run it: 0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory', ROOM],
    [
      'no-such-node',
      "No node can run it: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector",
      ROOM,
    ],
    ['secret-missing', 'Its container "model" cannot be started: secret "nowhere" not found', SECRET],
    [
      'key-missing',
      'Its container "model" cannot be started: couldn\'t find key k in Secret try-engineer-b/here',
      SECRET,
    ],
    [
      'program-missing',
      'Its container "model" cannot be started: unable to start container process: exec: "/nowhere": stat /nowhere: no such file or directory: unknown',
      [],
    ],
    [
      'account-missing',
      'Its pods are refused: error looking up service account try-engineer-b/nobody: serviceaccount "nobody" not found',
      ['The cluster refuses its pods'],
    ],
    [
      'quota-exceeded',
      'Its pods are refused: exceeded quota: q, requested: requests.cpu=101m, used: requests.cpu=0, limited: requests.cpu=10m',
      ['Raise quota of the environment, or remove an endpoint'],
    ],
    [
      'quota-unsaid',
      'Its pods are refused: failed quota: q: must specify requests.memory for: queue-proxy',
      [
        'A quota of the namespace requires values that not every container declares: a LimitRange with defaults adds them (Davit creates one for quota of the environment)',
      ],
    ],
    [
      'limit-range',
      'Its pods are refused: maximum memory usage per Container is 64Mi, but limit is 128Mi',
      ['A LimitRange of the namespace refuses it: request less, or change the LimitRange'],
    ],
    ['deadline', 'Knative reports a failure: ProgressDeadlineExceeded: Initial scale was never achieved', []],
  ])('%s', (name, message, hints) => {
    // Long enough for a temporary condition to have ended.
    const recorded = read(name);
    const later = { ...recorded, now: new Date(Date.parse(recorded.now) + 60_000).toISOString() };
    expect(explain(later, { waited: 120 })).toEqual({ state: 'failed', message, hints });
  });

  test("the model server's failure file, and not its log", () => {
    const report = read('report');
    const [pod] = report.pods;
    const failure = { event: 'failed', stage: 'load', message: 'it needs a file', trace: 'model.py:3' };
    const write = (message: string) => {
      const terminated = { exitCode: 1, reason: 'Error', message };
      const containers = pod!.spec!.containers!.map((c) => ({ ...c, terminationMessagePolicy: 'File' }));
      const status = { ...pod!.status, containerStatuses: [{ name: 'model', state: { terminated } }] };
      return explain({ ...report, pods: [{ ...pod!, spec: { containers }, status }] });
    };
    expect(write(`${JSON.stringify(failure)}\n`)).toEqual({
      state: 'failed',
      message: 'The model does not start (load): it needs a file',
      hints: ['model.py:3'],
    });
    const unsaid = { state: 'failed', message: 'The model server ended with exit code 1 (Error)', hints: PRINTED };
    for (const message of ['', 'null', '[]', '{"event": "ready"}', '{"event": "failed"'])
      expect(write(message)).toEqual(unsaid);
  });

  test.each([
    ['another pod', { kind: 'Pod', name: 'another-pod' }, 'model'],
    ['another container', undefined, 'queue-proxy'],
  ])('a failed liveness probe after the killing of %s', (_, involvedObject, container) => {
    const liveness = read('liveness');
    const killing = liveness.events.find((e) => e.reason === 'Killing')!;
    const other = {
      ...killing,
      message: `Container ${container} failed liveness probe, will be restarted`,
      involvedObject: involvedObject ?? killing.involvedObject,
    };
    const message = 'The model server was killed because it did not respond to its liveness probe';
    expect(explain({ ...liveness, events: [other, ...liveness.events] }, { waited: 120 }).message).toBe(message);
    const without = liveness.events.filter((e) => e !== killing);
    expect(explain({ ...liveness, events: [other, ...without] }, { waited: 120 }).message).not.toBe(message);
  });

  test('pod security, with the violated rules', () => {
    expect(explain(read('pod-security'))).toMatchObject({
      state: 'failed',
      message: expect.stringMatching(
        /^Its pods are refused: violates PodSecurity "restricted:latest": allow/,
      ) as string,
    });
  });
});

describe('diagnoseRevision() waits while the condition may be temporary', () => {
  test.each([
    ['no-room', 'no node can run it yet: 0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory'],
    ['registry-down', 'the image cannot be pulled yet: dial tcp 127.0.0.1:5999: connect: connection refused'],
    [
      'quota-exceeded',
      'its pods are refused: exceeded quota: q, requested: requests.cpu=101m, used: requests.cpu=0, limited: requests.cpu=10m',
    ],
    [
      'account-missing',
      'its pods are refused: error looking up service account try-engineer-b/nobody: serviceaccount "nobody" not found',
    ],
  ])('%s', (name, message) => {
    expect(explain(read(name))).toEqual({ state: 'waiting', message, hints: [] });
  });

  test('an autoscaler is adding a node, however long it takes', () => {
    const recorded = read('no-room');
    const message = 'pod triggered scale-up: [{gpu-nodes 0->1 (max: 4)}]';
    const involvedObject = { kind: 'Pod', name: recorded.pods[0]!.metadata.name };
    const observed = { ...recorded, events: [{ reason: 'TriggeredScaleUp', message, involvedObject }] };
    expect(explain(observed, { waited: 3000 })).toMatchObject({
      state: 'waiting',
      message: `a node is being added: ${message}`,
    });
  });

  test('a pod was evicted, and another is being deleted', () => {
    const { pods, ...loading } = read('loading');
    const evicted: ObservedPod = {
      metadata: { name: 'evicted' },
      status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
    };
    const ending = read('crash').pods.map((p) => ({ ...p, metadata: { ...p.metadata, deletionTimestamp: 'now' } }));
    expect(explain({ ...loading, pods: [evicted, ...ending, ...pods] }).state).toBe('waiting');
    expect(explain({ ...loading, pods: [evicted, evicted, evicted] })).toMatchObject({
      state: 'failed',
      message: 'Its pod failed: Evicted: The node was low on resource: memory.',
    });
  });
});

describe('diagnoseRevision() recognizes a ready revision', () => {
  const ready = read('ready');
  const [pod] = ready.pods;
  const asleep = { ...ready, pods: [] };

  test('with its minimum of replicas, and not before (#16649)', () => {
    expect(explain(ready).state).toBe('ready');
    expect(explain(ready, { minReplicas: 2 })).toMatchObject({ state: 'waiting', message: '1 of 2 replicas ready' });
    expect(explain({ ...ready, pods: [pod!, pod!] }, { minReplicas: 2 }).state).toBe('ready');
  });

  test('scaled to zero, if its minimum is zero', () => {
    expect(explain(asleep, { minReplicas: 0 }).state).toBe('ready');
    expect(explain(asleep).state).toBe('waiting');
  });

  test('outside the route, where Knative deletes its replicas', () => {
    const metadata = { ...ready.revision!.metadata, labels: { 'serving.knative.dev/routingState': 'reserve' } };
    expect(explain({ ...asleep, revision: { ...ready.revision!, metadata } }, { minReplicas: 2 }).state).toBe('ready');
  });

  test('until then, the message names the current step', () => {
    expect(explain(read('loading')).message).toBe('0 of 1 replica ready; loading the model');
    const [first] = read('loading').pods;
    const young = { ...first!, status: { ...first!.status, containerStatuses: [] } };
    expect(explain({ ...read('loading'), pods: [young] }, { minReplicas: 2 }).message).toBe(
      '0 of 2 replicas ready; pulling the image and starting the container',
    );
    expect(explain({ ...ready, revision: undefined }).message).toBe('Knative is creating the revision');
  });
});

test('diagnosePods() explains why pods without a revision are stuck', () => {
  expect(diagnosePods(read('key-missing').pods)).toMatchObject({ state: 'failed' });
  expect(diagnosePods(read('ready').pods)).toBeUndefined();
});
