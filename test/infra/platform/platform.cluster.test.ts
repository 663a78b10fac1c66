import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { previewStack, destroyStack, upStack } from '../../../engine/run-pulumi.ts';
import { clusterDown, clusterStatus, clusterUp } from '../../../offline/cluster/cluster.ts';
import { findKubectl } from '../../../offline/cluster/go-programs.ts';
import { type Kubectl, kubectl } from '../../../offline/cluster/kubectl.ts';
import { type EnvironmentFields, describeEnvironment, makePlatformProject } from './platform-project.ts';

const options = { progress: { say: (line: string) => process.stderr.write(`${line}\n`) }, bare: true };
const there = await clusterStatus(options);
let to: Kubectl;
let base: EnvironmentFields;

beforeAll(async () => {
  const cluster = there?.state === 'up' ? there : await clusterUp(options);
  to = { program: await findKubectl(), kubeconfig: cluster.kubeconfig, context: cluster.context };
  base = await describeEnvironment(cluster, options);
});

afterAll(async () => {
  if (!there) await clusterDown(options);
});

/** A Knative that is there already was installed by somebody else, and stays. */
const bare = there?.knative === undefined;

describe.runIf(bare)('the platform with a Knative of its own', () => {
  test('is installed, changes nothing again, is changed in place, and goes', async () => {
    const { project, stack, declare } = await makePlatformProject('pt-own', base);
    try {
      const made = await upStack(project, stack);
      expect(made.failures).toEqual([]);
      expect(made).toMatchObject({ status: 'succeeded', outputs: { knative: '1.21.0' } });
      expect(await askWithoutToken(made.outputs['url'])).toBe(401);
      await expectNoChange(project, stack);

      await declare({ gateway: { replicas: 1 } });
      const { plan } = await upStack(project, stack);
      expect(plan.resources.filter((r) => r.operation !== 'same').map((r) => r.operation)).not.toContain('delete');
      expect(plan.verdict.kind).toBe('update-in-place');
      await expectNoChange(project, stack);
    } finally {
      expect((await destroyStack(project, stack)).failures).toEqual([]);
    }
    const left = await kubectl(to, ['get', 'crd,namespace,clusterrole,validatingwebhookconfiguration', '-o', 'name']);
    expect(left).not.toMatch(/knative|kourier|namespace\/kourier-system|pt-own-deployer/);
    await kubectl(to, ['delete', 'namespace', 'pt-own-models', 'pt-own-system']);
  });
});

describe.runIf(!bare)("the platform on somebody's Knative", () => {
  test('takes over what it needs and gives it up; what is edited by hand is seen and put back', async () => {
    const before = await readSettings();
    const { project, stack } = await makePlatformProject('pt-adopt', withoutKnative(base));
    try {
      const made = await upStack(project, stack);
      expect(made.failures).toEqual([]);
      expect(made).toMatchObject({ status: 'succeeded', outputs: { knative: '1.21.0' } });
      expect(await askWithoutToken(made.outputs['url'])).toBe(401);
      await expectNoChange(project, stack);

      await kubectl(to, ['scale', 'deployment/davit-edge', '-n', 'pt-adopt-system', '--replicas=1']);
      const seen = await previewStack(project, stack, { refresh: true });
      const changed = seen.plan.resources.filter((r) => r.operation === 'update');
      expect(changed.map((r) => [r.name, r.differences.map((d) => d.path)])).toEqual([
        ['pt-adopt-system/davit-edge', ['spec.replicas']],
      ]);
      await upStack(project, stack, { refresh: true });
      await expectNoChange(project, stack);
    } finally {
      expect((await destroyStack(project, stack)).failures).toEqual([]);
    }
    expect(await readSettings()).toEqual(before);
    expect(await kubectl(to, ['get', 'deployment,service,role', '-n', 'pt-adopt-system', '-o', 'name'])).toBe('');
    await kubectl(to, ['delete', 'namespace', 'pt-adopt-models', 'pt-adopt-system']);
  });
});

async function expectNoChange(project: Parameters<typeof upStack>[0], stack: string): Promise<void> {
  const { plan } = await upStack(project, stack, { refresh: true });
  expect(plan.verdict).toMatchObject({ kind: 'no-change' });
}

async function askWithoutToken(url: unknown): Promise<number> {
  const answer = await fetch(`${String(url)}/serving-endpoints/none/invocations`, { method: 'POST', body: '{}' });
  return answer.status;
}

async function readSettings(): Promise<readonly unknown[]> {
  const names = ['config-autoscaler', 'config-defaults', 'config-deployment', 'config-features'];
  const text = await kubectl(to, ['get', 'configmap', ...names, '-n', 'knative-serving', '-o', 'json']);
  return (JSON.parse(text) as { items: { data: unknown }[] }).items.map(({ data }) => data);
}

function withoutKnative(fields: EnvironmentFields): EnvironmentFields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== 'knative'));
}
