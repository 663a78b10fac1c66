import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { makeSbom, renderSbom } from '../../images/make-sbom.ts';
import type { Lock } from '../../schemas/lock/lock.ts';

const hash = (digit: string) => `sha256:${digit.repeat(64)}`;
const BASE = `registry.acme.com:5000/python:3.11-slim@${hash('f')}`;
const LOCK: Lock = {
  lock_version: 1,
  endpoint: 'iris',
  entities: {
    'iris-2': {
      model: { name: 'iris', version: '2', digest: hash('a'), mlflow_version: '3.1.0', python_version: '3.11.7' },
      requirements: [],
      virtualenv: 'python3.11-1',
      signature: { inputs: null, outputs: null, params: null },
    },
  },
  virtualenvs: {
    'python3.11-1': {
      python: '3.11',
      platform: 'x86_64-manylinux_2_28',
      packages: [
        { name: 'numpy', version: '2.1.0', hashes: [hash('b'), hash('c')] },
        { name: 'torch', version: '2.1.0+cpu', hashes: [hash('d')] },
        { name: 'helper', version: '', source: 'https://acme.com/helper-1-py3-none-any.whl', hashes: [hash('e')] },
      ],
    },
  },
};

test('makeSbom() writes what the published schema of CycloneDX 1.6 accepts', async () => {
  const schema: unknown = JSON.parse(await readFile(join(import.meta.dirname, 'bom-1.6.schema.json'), 'utf8'));
  const cyclonedx = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  const text = renderSbom(
    await makeSbom({ lock: LOCK, entity: 'iris-2', base: BASE, systemPackages: ['libgomp1', 'libstdc++6'] }),
  );
  expect(cyclonedx.safeParse(JSON.parse(text)).error).toBeUndefined();
  for (const [right, wrong] of [
    ['"SHA-256"', '"SHA-257"'],
    ['"library"', '"package"'],
    ['"name": "numpy"', '"title": "numpy"'],
  ] as const)
    expect(cyclonedx.safeParse(JSON.parse(text.replace(right, wrong))).success).toBe(false);
});

test('makeSbom() names the model, the base image and each package by digest, and is the same each time', async () => {
  const sbom = await makeSbom({ lock: LOCK, entity: 'iris-2', base: BASE, systemPackages: ['libgomp1', 'libstdc++6'] });
  const find = (ref: string) => sbom.components.find((c) => c['bom-ref'] === ref);
  expect(find('model')).toMatchObject({
    type: 'machine-learning-model',
    name: 'iris',
    version: '2',
    hashes: [{ alg: 'SHA-256', content: 'a'.repeat(64) }],
  });
  expect(find('base')?.purl).toBe(
    `pkg:oci/python@sha256%3A${'f'.repeat(64)}?repository_url=registry.acme.com%3A5000%2Fpython`,
  );
  expect(find('model:pkg:pypi/numpy@2.1.0')?.hashes).toHaveLength(2);
  expect(find('model:pkg:pypi/torch@2.1.0%2Bcpu')?.version).toBe('2.1.0+cpu');
  expect(sbom.components.some((c) => c.purl?.startsWith('pkg:pypi/helper?download_url=https%3A%2F%2Facme.com'))).toBe(
    true,
  );
  expect(find('system:pkg:deb/debian/libstdc%2B%2B6')).toMatchObject({ type: 'library', name: 'libstdc++6' });
  const refs = sbom.components.map((c) => c['bom-ref']);
  expect(new Set(refs).size).toBe(refs.length);
  expect(new Set(sbom.dependencies.flatMap((d) => d.dependsOn))).toEqual(new Set(refs));
  expect(
    renderSbom(
      await makeSbom({ lock: LOCK, entity: 'iris-2', base: BASE, systemPackages: ['libgomp1', 'libstdc++6'] }),
    ),
  ).toBe(renderSbom(sbom));
  expect((await makeSbom({ lock: LOCK, entity: 'iris-2', base: undefined, systemPackages: [] })).serialNumber).not.toBe(
    sbom.serialNumber,
  );
});
