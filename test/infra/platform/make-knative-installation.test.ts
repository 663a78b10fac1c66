import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { makeKnativeInstallation } from '../../../infra/platform/knative/make-knative-installation.ts';
import { makeEnvironment } from './kubernetes-environment.ts';

const MANIFESTS = join(import.meta.dirname, 'manifests', 'knative.yaml');
const source = 'knative.yaml';

async function install(edit = (text: string) => text, environment = makeEnvironment()) {
  return makeKnativeInstallation([{ source, text: edit(await readFile(MANIFESTS, 'utf8')) }], environment);
}

describe('makeKnativeInstallation()', () => {
  it('makes what Davit needs of Knative and Kourier, in order', async () => {
    const images = { activator: 'mirror.example/activator@sha256:3', queue: 'mirror.example/queue@sha256:4' };
    const environment = makeEnvironment({ knative: { mode: 'install', manifests: [], images } });
    const installation = await install(undefined, environment);
    await expect(stringify(installation, { lineWidth: 0 })).toMatchFileSnapshot('golden/installation.yaml');
  });

  it('gives an autoscaler its minimum and no number of replicas beside it', async () => {
    const autoscaler = stringify({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'activator', namespace: 'knative-serving' },
      spec: {
        minReplicas: 1,
        maxReplicas: 20,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'activator' },
      },
    });
    const { steps } = await install((text) => `${text}\n---\n${autoscaler}`);
    const objects = steps.flatMap((s) => s.objects);
    expect(objects.find((o) => o.kind === 'HorizontalPodAutoscaler')).toMatchObject({
      spec: { minReplicas: 2, maxReplicas: 20 },
    });
    const activator = objects.find((o) => o.kind === 'Deployment' && o.metadata.name === 'activator');
    expect(activator?.['spec']).not.toHaveProperty('replicas');
  });

  it.each([
    [
      'an older version',
      (text: string) => text.replaceAll('1.21.0', '1.20.1'),
      'Cannot use the Knative Serving of knative.yaml: it is version 1.20.1, expected 1.21 or later, before 2',
    ],
    [
      'manifests without Kourier',
      (text: string) => text.replaceAll('kourier-system', 'elsewhere'),
      'Cannot install Knative: its manifests lack Deployment/kourier-system/3scale-kourier-gateway, Service/kourier-system/kourier-internal, expected those of Knative Serving (CRDs and core) and of Kourier',
    ],
    ['YAML that is none', () => '{', 'Cannot read knative.yaml: '],
    [
      'a document that is no object',
      () => 'kind: Pod\n',
      'Cannot use a document of knative.yaml: {"kind":"Pod"}, expected apiVersion, kind and metadata.name',
    ],
  ])('refuses %s', async (_what, edit, message) => {
    await expect(install(edit)).rejects.toThrow(message);
  });
});
