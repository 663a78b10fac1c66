import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { collectSources } from '../../images/collect-sources.ts';
import { makeAuthorisationImagePlan, planAuthorisationImage } from '../../images/plan-authorisation-image.ts';
import { makeEnvironment } from '../infra/platform/kubernetes-environment.ts';

const { images } = makeEnvironment();

async function write(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'davit-sources-'));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) await writeFile(join(root, path), text);
  return root;
}

describe('collectSources()', () => {
  it('collects what is imported, and no types', async () => {
    const root = await write({
      'main.ts':
        "import { readFile } from 'node:fs/promises';\nimport type { T } from './type.ts';\nimport {\n  a,\n  type B,\n} from './a.ts';\nimport './effect.ts';\n",
      'a.ts': "export { c } from './c.ts';\nexport type { T } from './type.ts';\n",
      'c.ts': 'export const c = 1;\n',
      'effect.ts': "import { a } from './a.ts';\n",
    });
    const found = await collectSources(root, 'main.ts');
    expect(found.map(({ path }) => path)).toEqual(['a.ts', 'c.ts', 'effect.ts', 'main.ts']);
  });

  it('refuses a package', async () => {
    const root = await write({ 'main.ts': "import { z } from 'zod';\n" });
    await expect(collectSources(root, 'main.ts')).rejects.toThrow(
      'Cannot put main.ts into an image: it imports the package "zod", expected Node\'s own modules only',
    );
  });
});

describe('planAuthorisationImage()', () => {
  it('holds the service and what it imports, and no package', async () => {
    const { files } = await planAuthorisationImage(images);
    const paths = files.map(({ path }) => path);
    expect(paths).toContain('edge/service.ts');
    expect(paths).toContain('edge/check.ts');
    const others = paths.filter((path) => !/^(edge|serving-api|kubernetes|schemas|system)\//.test(path));
    expect(others).toEqual(['Dockerfile', 'package.json']);
  });
});

describe('makeAuthorisationImagePlan()', () => {
  const sources = [{ path: 'edge/service.ts', text: 'export {};\n' }];

  it('names an image by all that it is made of', () => {
    const plan = makeAuthorisationImagePlan(sources, images);
    expect(plan.files.map(({ path }) => path)).toEqual(['Dockerfile', 'package.json', 'edge/service.ts']);
    expect(plan.files[0]?.text).toMatch(/^FROM registry\.example\/node@sha256:1\n/);
    const tag = plan.reference.replace('registry.example/models/davit-authorisation:', '');
    expect(tag).toMatch(/^[0-9a-f]{12}$/);
    expect(plan.context).toBe(`.davit/images/davit-authorisation-${tag}`);
    const { reference } = makeAuthorisationImagePlan([...sources], { ...images, dockerHost: 'tcp://elsewhere' });
    expect(reference).toBe(plan.reference);
  });

  it.each([
    ['sources', [{ path: 'edge/service.ts', text: 'export const a = 1;\n' }], images],
    ['a base', sources, { ...images, node: 'registry.example/node@sha256:9' }],
  ])('makes another image of other %s', (_what, changed, settings) => {
    expect(makeAuthorisationImagePlan(changed, settings).reference).not.toBe(
      makeAuthorisationImagePlan(sources, images).reference,
    );
  });
});
