import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeKnativeAdoption } from '../../../infra/platform/knative/make-knative-adoption.ts';
import { makeKnativeInstallation } from '../../../infra/platform/knative/make-knative-installation.ts';
import type { PreparedKnative } from '../../../infra/platform/knative/prepare-knative.ts';
import { Platform } from '../../../infra/platform/platform.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { makeEnvironment } from './kubernetes-environment.ts';

let registered: pulumi.runtime.MockResourceArgs[];

beforeEach(() => {
  registered = [];
  return pulumi.runtime.setMocks({
    newResource: (args) => {
      registered.push(args);
      const inputs = args.inputs as Readonly<Record<string, unknown>>;
      const address = args.type.endsWith(':Service') && { clusterIP: '10.1.2.3' };
      return { id: args.name, state: { ...inputs, spec: { ...(inputs['spec'] as object), ...address } } };
    },
    call: () => ({}),
  });
});

async function deploy(knative: PreparedKnative, environment: KubernetesEnvironment, markKey?: string) {
  const authorisationImage = 'registry.example/authorisation@sha256:5';
  const marks = markKey !== undefined && { findMarkKey: () => pulumi.output(markKey) };
  const platform = new Platform('staging', {
    environment,
    root: '/project',
    providerFolder: '/code/infra',
    knative,
    authorisationImage,
    ...marks,
  });
  const url = await new Promise((resolve) => platform.url.apply(resolve));
  await pulumi.runtime.disconnect();
  return { url, names: registered.map(({ type, name }) => `${type} ${name}`) };
}

describe('Platform', () => {
  it('registers a Knative of its own, steps in order, and where the edge is', async () => {
    const text = await readFile(join(import.meta.dirname, 'manifests', 'knative.yaml'), 'utf8');
    const environment = makeEnvironment();
    const installation = makeKnativeInstallation([{ source: 'knative.yaml', text }], environment);
    const { url, names } = await deploy({ mode: 'install', ...installation }, environment);
    expect(url).toBe('http://10.1.2.3');
    await expect(`${names.toSorted().join('\n')}\n`).toMatchFileSnapshot('golden/registered-install.txt');
    const place = (name: string) => names.findIndex((n) => n.endsWith(name));
    expect(place(':Namespace knative-serving')).toBeLessThan(place(':ConfigMap knative-serving/config-network'));
    expect(place(':ConfigMap knative-serving/config-network')).toBeLessThan(
      place(':Deployment knative-serving/activator'),
    );
    expect(place(':Deployment knative-serving/activator')).toBeLessThan(place('config.webhook.serving.knative.dev'));
    expect(place(':Deployment davit-system/davit-edge')).toBeLessThan(place(':Service davit-system/davit-edge'));
  });

  it('lets revisions expect marks only once the edge makes them', async () => {
    const environment = makeEnvironment();
    const { names } = await deploy({ mode: 'install', steps: [], version: '1.21' }, environment, 'n');
    const place = (name: string) => names.findIndex((n) => n.endsWith(name));
    const accepted = place(':ConfigMap davit-system/davit-marks');
    expect(place(':Deployment davit-system/davit-authorisation')).toBeLessThan(accepted);
    expect(place(':Deployment davit-system/davit-edge')).toBeLessThan(accepted);
    expect(place(':Deployment davit-system/davit-authorisation')).toBeGreaterThanOrEqual(0);
    expect(registered[accepted]?.inputs).toMatchObject({ data: { 'public-key': 'n' } });
    expect(JSON.stringify(registered)).not.toContain('PRIVATE KEY');
  });

  it("registers patches of somebody's Knative", async () => {
    const environment = makeEnvironment({
      knative: { mode: 'adopt' },
      gateway: { ...makeEnvironment().gateway, url: 'https://serving.example' },
    });
    const found = {
      version: '1.21.0',
      owner: undefined,
      kourier: true,
      ingressClass: undefined,
      meshMode: undefined,
      maxTimeoutSeconds: 600,
      activator: { replicas: 2, graceSeconds: 600 },
    };
    const { url, names } = await deploy({ mode: 'adopt', ...makeKnativeAdoption(found, environment) }, environment);
    expect(url).toBe('https://serving.example');
    await expect(`${names.toSorted().join('\n')}\n`).toMatchFileSnapshot('golden/registered-adopt.txt');
    expect(registered.find(({ name }) => name === 'knative-serving/config-defaults')?.inputs).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'config-defaults', namespace: 'knative-serving' },
      data: { 'max-revision-timeout-seconds': '4500' },
    });
  });
});
