import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { describe, expect, it, vi } from 'vitest';
import { Gate } from '../../../../infra/targets/kubernetes/gate.ts';
import type { EntityPlan } from '../../../../infra/targets/kubernetes/plan-entity.ts';
import type { KubernetesApi } from '../../../../kubernetes/client/api.ts';
import type { ObservedRevision } from '../../../../kubernetes/diagnosis/observe-revision.ts';
import { parseRevisionFailure } from '../../../../schemas/deployment/revision-failure.ts';
import { UPDATE_FAILURE_KEY } from '../../../../schemas/deployment/update-failure.ts';
import { WORKER_REPORT_KEY } from '../../../../schemas/deployment/worker-report.ts';

const REVISIONS = '/apis/serving.knative.dev/v1/namespaces/models/revisions/';
const CONFIGURATIONS = '/apis/serving.knative.dev/v1/namespaces/models/configurations/';
/** What Knative says of a Configuration that it makes no Revision of. */
const REFUSED = { status: { conditions: [{ type: 'Ready', status: 'False', message: 'its image is no name' }] } };

/** What a real cluster had of a revision that is ready. */
const READY = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../kubernetes/diagnosis/recorded/ready.json'), 'utf8'),
) as ObservedRevision;
const THERE = {
  [`${REVISIONS}a-1`]: { ...READY.revision, metadata: { name: 'a-1', uid: 'u-1' } },
  '/apis/apps/v1/namespaces/models/deployments/a-1-deployment': READY.deployment ?? {},
};

class Thing extends pulumi.CustomResource {}

describe('the gate', () => {
  it('is open at a preview, and asks nobody', async () => {
    const { gate, resource, asked } = makeGate({ preview: true });
    expect(await valueOf(gate.exists(resource, makePlan('a')))).toBe('a-1');
    expect(await valueOf(gate.prove([resource], makePlan('a')))).toBe('a-1');
    expect(asked).toEqual([]);
  });

  it('gives the name of a revision that is there', async () => {
    const { gate, resource } = makeGate({ objects: { [`${REVISIONS}a-1`]: {} } });
    expect(await valueOf(gate.exists(resource, makePlan('a')))).toBe('a-1');
  });

  it('does not ask a revision again that has traffic: that could only wake it', async () => {
    const { gate, resource, asked } = makeGate({ serving: ['a-1'] });
    expect(await valueOf(gate.prove([resource], makePlan('a')))).toBe('a-1');
    expect(asked).toEqual([]);
  });

  it('records how the workers of a revision run that it has proven', async () => {
    const { gate, resource, written } = makeGate({ objects: THERE });
    expect(await valueOf(gate.prove([resource], makePlan('a')))).toBe('a-1');
    expect(written.map(({ data }) => JSON.parse(data[WORKER_REPORT_KEY] ?? '') as unknown)).toEqual([
      { revision: 'a-1', mode: 'separate', found: ['2 threads'], count: 4 },
    ]);
  });

  it('marks its requests as the edge does, and only where model servers expect that', async () => {
    const mark = (seconds: number) => `for ${Math.round(seconds)} s`;
    const { gate, resource, sent } = makeGate({ objects: THERE, mark });
    await valueOf(gate.prove([resource], makePlan('a')));
    expect(sent.map(({ path, headers }) => [path.split('/').at(-1), headers['x-davit-mark']])).toEqual([
      ['invocations', 'for 60 s'],
      ['status', 'for 5 s'],
    ]);
    const without = makeGate({ objects: THERE });
    await valueOf(without.gate.prove([without.resource], makePlan('a')));
    expect(without.sent.map(({ headers }) => 'x-davit-mark' in headers)).toEqual([false, false]);
  });

  it('opens all the same where that cannot be recorded', async () => {
    const { gate, resource } = makeGate({ objects: THERE, writing: () => Promise.reject(new Error('no way')) });
    expect(await valueOf(gate.prove([resource], makePlan('a')))).toBe('a-1');
  });

  it('says what a revision fails of, notes it, and lets go of what it holds', async () => {
    const { gate, resource, written, removed } = makeGate({ objects: { [`${CONFIGURATIONS}a`]: REFUSED } });
    const failed = await failureOf(gate.exists(resource, makePlan('a')));
    expect(pulumi.RunError.isInstance(failed)).toBe(true); // a sentence for the user, without a stack
    expect(parseRevisionFailure(failed.message)).toEqual({
      revision: 'a-0123456789',
      message: 'Knative refuses it: its image is no name',
      hints: [],
    });
    expect(removed).toEqual([`${CONFIGURATIONS}a`]);
    expect(written.map(({ data }) => JSON.parse(data[UPDATE_FAILURE_KEY] ?? '') as unknown)).toEqual([
      {
        ...{ endpoint: 'iris', entity: 'a', revision: 'a-1', model: 'iris 2', hints: [] },
        message: 'Knative refuses it: its image is no name',
      },
    ]);
  });

  it('blames the one that fails, and waits for no other', async () => {
    const { gate, resource, written } = makeGate({ objects: { [`${CONFIGURATIONS}a`]: REFUSED } });
    const failures = await Promise.all(['b', 'a'].map((name) => failureOf(gate.exists(resource, makePlan(name)))));
    expect(failures.map((e) => parseRevisionFailure(e.message)?.revision)).toEqual(['a-0123456789', 'a-0123456789']);
    expect(written).toHaveLength(1);
  });

  it('says what the revision fails of though nothing can be cleaned up', async () => {
    const objects = { [`${CONFIGURATIONS}a`]: REFUSED };
    const { gate, resource } = makeGate({ objects, writing: () => Promise.reject(new Error('no way')) });
    const failed = await failureOf(gate.exists(resource, makePlan('a')));
    expect(failed.message).toContain('Knative refuses it: its image is no name');
  });

  it('waits no longer once the run is over, and then removes and records nothing', async () => {
    const end = new AbortController();
    const { gate, resource, asked, removed, written } = makeGate({ signal: end.signal });
    const waits = failureOf(gate.exists(resource, makePlan('a')));
    await vi.waitFor(() => expect(asked).not.toEqual([]));
    end.abort();
    expect((await waits).name).toBe('AbortError');
    expect([removed, written]).toEqual([[], []]);
  });
});

interface Settings {
  readonly preview?: boolean;
  readonly serving?: readonly string[];
  readonly objects?: Readonly<Record<string, object>>;
  readonly writing?: () => Promise<unknown>;
  readonly mark?: (seconds: number) => string;
  readonly signal?: AbortSignal;
}

interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Written {
  readonly data: Readonly<Record<string, string>>;
}

function makeGate({
  preview = false,
  serving = [],
  objects = {},
  writing = () => Promise.resolve({}),
  mark,
  signal = new AbortController().signal,
}: Settings) {
  const mocks = { newResource: () => ({ id: 'an-id', state: {} }), call: () => ({}) };
  void pulumi.runtime.setMocks(mocks, 'davit', 'iris.staging', preview);
  const asked: string[] = [];
  const written: Written[] = [];
  const removed: string[] = [];
  const sent: Sent[] = [];
  const api = {
    get: (path: string) => {
      asked.push(path);
      return Promise.resolve(objects[path]);
    },
    list: () => Promise.resolve(READY.pods),
    send: (question: Sent) => {
      const { path } = question;
      sent.push(question);
      const answer = path.endsWith('/status')
        ? { worker_mode: 'separate', found: ['2 threads'] }
        : { predictions: [1] };
      return Promise.resolve({ status: 200, headers: {}, body: JSON.stringify(answer) });
    },
    apply: (_: string, object: Written) => {
      written.push(object);
      return writing();
    },
    remove: (path: string) => {
      removed.push(path);
      return writing();
    },
  } as unknown as KubernetesApi;
  const resource = new Thing('kubernetes:serving.knative.dev/v1:Configuration', 'r');
  const gate = new Gate({ api, namespace: 'models', endpoint: 'iris', serving: new Set(serving), mark, signal });
  return { gate, resource, asked, written, removed, sent };
}

function makePlan(name: string): EntityPlan {
  return {
    entity: { name, model: { name: 'iris', version: '2', uri: undefined } },
    name: `${name}-0123456789`,
    ...{ configuration: name, revision: `${name}-1`, serviceAccount: name },
    ...{ replicas: { min: 1, max: 1 }, hardware: { deploymentSeconds: 60 } },
    template: { spec: { containerConcurrency: 4 } },
  } as unknown as EntityPlan;
}

interface Inside<T> {
  readonly promise: () => Promise<T>;
  readonly isKnown: Promise<boolean>;
  readonly isSecret: Promise<boolean>;
  readonly allResources: () => Promise<unknown>;
}

/** What the engine would wait for. */
function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  const { isKnown, isSecret, allResources, promise } = output as unknown as Inside<T>;
  // All of them reject when one does.
  for (const part of [isKnown, isSecret, allResources()]) part.catch(() => undefined);
  return promise();
}

async function failureOf(output: pulumi.Output<unknown>): Promise<Error> {
  return valueOf(output).then(
    () => new Error('it is fine'),
    (e: unknown) => e as Error,
  );
}
