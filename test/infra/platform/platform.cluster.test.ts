import { writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseImageReference, makeRegistryUrl } from '../../../images/image-reference.ts';
import { planAuthorisationImage } from '../../../images/plan-authorisation-image.ts';
import { readImageDigest } from '../../../images/registry.ts';
import { previewStack, destroyStack, upStack } from '../../../engine/run-pulumi.ts';
import { readClusterStatus } from '../../../cluster/cluster.ts';
import { type KubectlConnection, kubectl } from '../../../cluster/kubectl.ts';
import { openPlatform, requireSuccess } from '../../cluster/rollouts.ts';
import { type EnvironmentFields, describeEnvironment, makePlatformProject } from './platform-project.ts';

const options = { progress: { say: (line: string) => process.stderr.write(`${line}\n`) } };
let to: KubectlConnection;
let base: EnvironmentFields;
let shared: Awaited<ReturnType<typeof openPlatform>>;

beforeAll(async () => {
  shared = await openPlatform();
  to = shared.to;
  base = await describeEnvironment((await readClusterStatus(options))!, options);
});

test('a platform that is deployed changes nothing again, and is changed in place', async () => {
  const { file, text } = shared;
  expect(await previewShared()).toMatchObject({ kind: 'no-change' });
  await writeFile(file, `${text}gateway: { replicas: 1 }\n`);
  try {
    const plan = await previewShared();
    expect(plan).toMatchObject({ kind: 'update-in-place' });
    requireSuccess(await shared.davit('up', '_platform'));
    expect(await previewShared()).toMatchObject({ kind: 'no-change' });
  } finally {
    await writeFile(file, text);
    requireSuccess(await shared.davit('up', '_platform'));
  }
});

test('its image is built again when the registry has lost it, whatever the state says', async () => {
  const { reference } = await planAuthorisationImage(shared.environment.images);
  const digest = await readImageDigest(reference);
  expect(digest).toBeDefined();
  await deleteManifest(reference, digest!);
  expect(await readImageDigest(reference)).toBeUndefined();

  const preview = requireSuccess(await shared.davit('preview', '_platform'));
  expect(preview.stdout).toContain(`builds ${reference}`);
  const up = requireSuccess(await shared.davit('up', '_platform'));
  expect(`${up.stdout}${up.stderr}`).toContain(`Building ${reference}`);
  expect(await readImageDigest(reference)).toBeDefined();
  expect(await previewShared()).toMatchObject({ kind: 'no-change' });
});

describe("the platform on somebody's Knative", () => {
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
    // Nor has the one that was there before noticed anything.
    expect(await previewShared()).toMatchObject({ kind: 'no-change' });
  });
});

/** As a registry's clean-up would. */
async function deleteManifest(reference: string, digest: string): Promise<void> {
  const { registry, name } = parseImageReference(reference);
  const answer = await fetch(`${makeRegistryUrl(registry)}/v2/${name}/manifests/${digest}`, { method: 'DELETE' });
  expect(answer.status).toBe(202);
}

/** What is really there is looked at first. */
async function previewShared(): Promise<unknown> {
  const { stdout } = requireSuccess(await shared.davit('preview', '_platform', '--refresh', '--json'));
  return (JSON.parse(stdout) as { result: { plan: { verdict: unknown } } }).result.plan.verdict;
}

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
