import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GO_MODULE, KUBERNETES_VERSION } from '../../cluster/go-programs.ts';
import { readModuleFolder } from '../../system/go-build.ts';

const OURS = await readRequirements(GO_MODULE);

test('Knative gets the OpenTelemetry that it names itself, because it panics at its start with another one', async () => {
  const knative = await readRequirements(await readModuleFolder(GO_MODULE, 'knative.dev/serving'));
  const telemetry = [...knative].filter(([module]) => module.startsWith('go.opentelemetry.io/'));
  expect(telemetry.length).toBeGreaterThan(5);
  expect(telemetry).toEqual(telemetry.map(([module]) => [module, OURS.get(module)]));
});

test("every program gets the libraries of the cluster's own Kubernetes", async () => {
  expect(OURS.get('k8s.io/kubernetes')).toBe(`v${KUBERNETES_VERSION}`);
  const replaced = (await readFile(join(GO_MODULE, 'go.mod'), 'utf8')).matchAll(/^replace (\S+) => (\S+) (\S+)$/gm);
  const versions = new Map([...replaced].map(([, module, by, version]) => [module, `${by} ${version}`]));
  for (const module of ['api', 'apimachinery', 'apiserver', 'client-go', 'component-base'].map((m) => `k8s.io/${m}`))
    expect(versions.get(module)).toBe(`${module} ${KUBERNETES_VERSION.replace('1.', 'v0.')}`);
});

/** The version of each module that a go.mod requires. */
async function readRequirements(folder: string): Promise<ReadonlyMap<string, string>> {
  const lines = (await readFile(join(folder, 'go.mod'), 'utf8')).matchAll(/^(?:require |\t)(\S+) (v\S+)/gm);
  return new Map([...lines].map(([, module = '', version = '']) => [module, version]));
}
