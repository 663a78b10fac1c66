import * as pulumi from '@pulumi/pulumi';
import { expect, it } from 'vitest';
import { Pause } from '../../../../infra/targets/kubernetes/pause.ts';
import type { EntityPlan } from '../../../../infra/targets/kubernetes/plan-entity.ts';
import { type KubernetesApi, KubernetesRefused } from '../../../../kubernetes/client/api.ts';
import { endpointObjectName } from '../../../../schemas/environment/kubernetes-names.ts';

const PLAN = { revision: 'new-1', entity: { timeLimitSeconds: 120 } } as unknown as EntityPlan;
const CALM = { recreate: true, serving: ['old-1'], preview: false };

class Thing extends pulumi.CustomResource {}

it('callers are told before the old revision ends, for as long as that may take, and let through when all is there', async () => {
  const { pause, resource, annotated } = await makePause(CALM);
  const began = Date.now();
  expect(await valueOf(pause.before(PLAN, 'image'))).toBe('image');
  const [[path, until]] = annotated as [[string, string]];
  expect(path).toBe(`/api/v1/namespaces/models/configmaps/${endpointObjectName('iris')}`);
  expect(Date.parse(until) - began).toBeGreaterThanOrEqual(180_000);
  await valueOf(pause.before(PLAN, 'another entity'));
  expect(annotated).toHaveLength(1);
  await valueOf(pause.endAfter([resource]));
  expect(annotated.at(-1)).toEqual([path, null]);
});

it.each([
  ['at a preview', { ...CALM, preview: true }],
  ['of a rolling update', { ...CALM, recreate: false }],
  ['of a new endpoint', { ...CALM, serving: [] }],
  ['of a revision that stays', { ...CALM, serving: ['new-1'] }],
])('nobody is told anything: %s', async (_what, settings) => {
  const { pause, resource, annotated } = await makePause(settings);
  expect(await valueOf(pause.before(PLAN, 'image'))).toBe('image');
  await valueOf(pause.endAfter([resource]));
  expect(annotated).toEqual([]);
});

it('an endpoint whose entry somebody has removed has no callers', async () => {
  const { pause } = await makePause(CALM, () => {
    throw new KubernetesRefused('PATCH', { status: 404, reason: 'NotFound', message: 'not found' });
  });
  expect(await valueOf(pause.before(PLAN, 'image'))).toBe('image');
});

async function makePause(settings: typeof CALM, refuse: () => void = () => undefined) {
  await pulumi.runtime.setMocks(
    { newResource: ({ name }) => ({ id: name, state: {} }), call: () => ({}) },
    'test',
    'test',
    settings.preview,
  );
  const annotated: [path: string, until: string | null | undefined][] = [];
  const patch = (path: string, fields: { readonly metadata: { readonly annotations: object } }) => {
    refuse();
    annotated.push([path, Object.values(fields.metadata.annotations)[0] as string | null]);
    return Promise.resolve({});
  };
  const pause = new Pause({
    api: { patch } as unknown as KubernetesApi,
    namespace: 'models',
    endpoint: 'iris',
    serving: new Set(settings.serving),
    recreate: settings.recreate,
  });
  return { pause, annotated, resource: new Thing('test:index:Thing', 'thing') };
}

function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    output.apply(resolve);
    void (output as unknown as { readonly promise: () => Promise<unknown> }).promise().catch(reject);
  });
}
