import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { collectSources } from '../../images/collect-sources.ts';
import { makeAuthorisationImagePlan, planAuthorisationImage } from '../../images/plan-authorisation-image.ts';
import { runProcess } from '../../system/run-process.ts';
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

  it('refuses any package that is not allowed', async () => {
    const root = await write({ 'main.ts': "import { z } from 'zod';\n" });
    await expect(collectSources(root, 'main.ts')).rejects.toThrow(
      'Cannot put main.ts into an image: it imports the package "zod", expected Node\'s own modules or jose',
    );
  });
});

describe('planAuthorisationImage()', () => {
  it('holds the service and what it imports, and of packages only jose', async () => {
    const { files } = await planAuthorisationImage(images);
    const paths = files.map(({ path }) => path);
    expect(paths).toContain('edge/service.ts');
    expect(paths).toContain('edge/authorize-query.ts');
    const others = paths.filter((path) => !/^(edge|serving-api|kubernetes|schemas|system)\//.test(path));
    expect(others.filter((path) => !path.startsWith('node_modules/jose/'))).toEqual(['Dockerfile', 'package.json']);
    expect(others).toContain('node_modules/jose/LICENSE.md');
  });
});

it('the files of the image are enough to run the service', async () => {
  const { files } = await planAuthorisationImage(images);
  const root = await mkdtemp(join(tmpdir(), 'davit-image-'));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const { path, text } of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const service = await runProcess(process.execPath, [join(root, 'edge/service.ts')], { cwd: root, env: {} });
  expect(service.stderr).toBe('');
  expect(service).toMatchObject({ code: 1, stdout: expect.stringContaining('DAVIT_EDGE is not set') as string });
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
