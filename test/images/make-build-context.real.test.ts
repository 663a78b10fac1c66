import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { makeBuildContext } from '../../images/make-build-context.ts';
import { makeSbom, renderSbom } from '../../images/make-sbom.ts';
import { type ImagePlan, planImage } from '../../images/plan-image.ts';
import { type Lock, type LockedPackage, parseLock } from '../../schemas/lock/lock.ts';
import { digestModel } from '../../system/model-digest.ts';
import { writeWheel } from '../helpers/write-package.ts';
import { SAMPLE_LOCK, SAMPLE_SETTINGS } from './sample-lock.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const SITE = 'virtualenv/virtualenv/lib/python3.11/site-packages';
let folder: string;
/** The context of the example, for the tests that only look at it. */
let example: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-context-'));
  const shared = folder;
  example = await makeIris('example', await readLock('endpoints/iris.lock'), '2');
  return () => rm(shared, { recursive: true, maxRetries: 5 });
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-context-'));
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 5 }));
});

test('the same inputs give the same context, to the byte and the second, and nothing of this machine is in it', async () => {
  const again = await makeIris('again', await readLock('endpoints/iris.lock'), '2');
  const seen = await describeTree(example);
  expect(await describeTree(again)).toEqual(seen);
  const paths = seen.map(([path]) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      'sbom.cdx.json',
      'settle.py',
      'model/model/MLmodel',
      'server/server/runtime/davit_server/__main__.py',
      'server/server/virtualenv/lib/python3.11/site-packages/davit.pth',
      `${SITE}/sklearn/__init__.py`,
      'virtualenv/virtualenv/bin/mlflow',
    ]),
  );
  expect(
    paths.filter((p) => /direct_url\.json|uv_cache\.json|__pycache__|\.pyc|\.lock$|requirements.*\.txt$/.test(p)),
  ).toEqual(['model/model/requirements.txt']);
  expect(new Set(seen.map(([, mode, time]) => `${mode} ${time}`))).toEqual(new Set(['644 315532800', '755 315532800']));
  const lock = await readLock('endpoints/iris.lock');
  const sbom = await makeSbom({ lock, entity: 'iris', base: SAMPLE_SETTINGS.bases['3.11'], systemPackages: [] });
  expect(await readFile(join(example, 'sbom.cdx.json'), 'utf8')).toBe(renderSbom(sbom));
  expect(await readFile(join(example, 'Dockerfile'), 'utf8')).not.toContain('sbom'); // it would change the tag
  const script = await readFile(join(example, 'virtualenv/virtualenv/bin/mlflow'), 'utf8');
  expect(script.split('\n')[0]).toBe('#!/virtualenv/bin/python');
  const record = await readFile(join(example, SITE, 'mlflow_skinny-3.17.2.dist-info', 'RECORD'), 'utf8');
  expect(record.split('\n')).toContain('../../../bin/mlflow,,');
});

test('two models of the same lock share all but the model', async () => {
  const [old, now] = [await readLock('examples/first-version/iris.lock'), await readLock('endpoints/iris.lock')];
  const [before, after] = [await plan(old), await plan(now)];
  expect(after.stackHash).toBe(before.stackHash);
  expect(after.tag).not.toBe(before.tag);
  const trees = [await makeIris('old', old, '1'), example];
  for (const layer of ['server', 'virtualenv'])
    expect(await describeTree(join(trees[0]!, layer))).toEqual(await describeTree(join(trees[1]!, layer)));
});

test('a wheel in the model is installed, and where it was is forgotten', async () => {
  const model = join(folder, 'model');
  await mkdir(join(model, 'wheels'), { recursive: true });
  await writeFile(join(model, 'MLmodel'), '');
  const hash = await makeWheel(join(model, 'wheels', 'tiny-1.0-py3-none-any.whl'));
  const tiny = { name: 'tiny', version: '1.0', source: 'wheels/tiny-1.0-py3-none-any.whl', hashes: [hash] };
  const context = await make('wheel', await lockOf(model, [tiny]), model);
  const installed = await readdir(join(context, SITE));
  expect(installed.sort()).toEqual(['tiny-1.0.dist-info', 'tiny.py']);
  expect(await readdir(join(context, SITE, 'tiny-1.0.dist-info'))).not.toContain('direct_url.json');
  expect(await readFile(join(context, SITE, 'tiny-1.0.dist-info', 'RECORD'), 'utf8')).not.toContain('direct_url');
});

test('a model that has changed since it was locked is refused, and so is one that is not there; nothing is left', async () => {
  const model = join(folder, 'model');
  await cp(join(REPOSITORY, 'models', 'iris', '2'), model, { recursive: true });
  const lock = await lockOf(model, []);
  await writeFile(join(model, 'MLmodel'), 'changed');
  await expect(make('changed', lock, model)).rejects.toThrow(
    /^Cannot put iris version 2 into an image: its files have the digest sha256:\w+…, the lock says sha256:\w+…; they changed after the lock was made\. Make the lock again: npx davit lock iris$/,
  );
  await expect(make('changed', lock, '/nowhere')).rejects.toThrow(
    'Cannot find the files of iris version 2: there is no MLmodel in /nowhere, expected the locked model (npx davit validate iris downloads it)',
  );
  expect(await readdir(join(folder, 'changed', '.davit', 'images'))).toEqual([]);
});

test('one that is interrupted leaves nothing', async () => {
  const lock = await readLock('endpoints/iris.lock');
  const stop = new AbortController();
  const making = makeIris('stopped', lock, '2', stop.signal);
  setTimeout(() => stop.abort(new Error('interrupted')), 300);
  await expect(making).rejects.toThrow();
  expect(await readdir(join(folder, 'stopped', '.davit', 'images'))).toEqual([]);
});

async function readLock(file: string): Promise<Lock> {
  return parseLock(await readFile(join(REPOSITORY, file), 'utf8'), file).lock!;
}

function plan(lock: Lock): Promise<ImagePlan> {
  return planImage({ endpoint: { name: 'iris' }, entity: { name: 'iris' }, lock, settings: SAMPLE_SETTINGS });
}

function makeIris(project: string, lock: Lock, version: string, signal?: AbortSignal): Promise<string> {
  return make(project, lock, join(REPOSITORY, 'models', 'iris', version), signal);
}

async function make(project: string, lock: Lock, modelFolder: string, signal?: AbortSignal): Promise<string> {
  const planned = await plan(lock);
  const root = join(folder, project);
  await makeBuildContext(planned, { root, lock, entity: 'iris', modelFolder, full: true, signal });
  return join(root, planned.context);
}

async function lockOf(model: string, packages: readonly LockedPackage[]): Promise<Lock> {
  const [key, virtualenv] = Object.entries(SAMPLE_LOCK.virtualenvs)[0]!;
  const entity = SAMPLE_LOCK.entities['iris']!;
  return {
    ...SAMPLE_LOCK,
    entities: { iris: { ...entity, model: { ...entity.model, digest: await digestModel(model) } } },
    virtualenvs: { [key]: { ...virtualenv, packages: [...packages] } },
  };
}

/** Path, mode, time and content of every file, and path, mode and time of every folder but the outermost. */
async function describeTree(tree: string): Promise<readonly [string, string, number, string][]> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const described = entries.map(async (entry): Promise<[string, string, number, string]> => {
    const path = join(entry.parentPath, entry.name);
    const { mode, mtimeMs } = await stat(path);
    const content = entry.isFile()
      ? createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
      : '';
    return [path.slice(tree.length + 1), (mode & 0o777).toString(8), mtimeMs / 1000, content];
  });
  const all = (await Promise.all(described)).sort(([a], [b]) => (a < b ? -1 : 1));
  return all.filter(([path]) => path !== 'Dockerfile'); // has the time at which it was made
}

/** A wheel by hand; its `sha256:…`. */
async function makeWheel(file: string): Promise<string> {
  writeWheel(file, { 'tiny.py': 'x = 1\n' });
  return `sha256:${createHash('sha256')
    .update(await readFile(file))
    .digest('hex')}`;
}
