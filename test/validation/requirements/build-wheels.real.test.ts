// Packages that have only a source distribution, which comes from a folder of the test as the index.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { makeBuildContext } from '../../../images/make-build-context.ts';
import { planImage } from '../../../images/plan-image.ts';
import { ensureVirtualenv, makeVirtualenvRequest } from '../../../python/ensure-virtualenv.ts';
import { findSandbox } from '../../../sandbox/sandbox.ts';
import type { Lock } from '../../../schemas/lock/lock.ts';
import { readLock } from '../../../schemas/read-project.ts';
import { cacheFolder } from '../../../system/cache.ts';
import { lockEndpoint } from '../../../validation/lock-endpoint.ts';
import { runDavit } from '../../cli/run-davit.ts';
import { makeWorkingProject } from '../../cli/working-project.ts';
import { writeSourceDistribution } from '../../helpers/write-package.ts';
import { SAMPLE_SETTINGS } from '../../images/sample-lock.ts';
import { FIXTURES } from '../../runtime/start-server.ts';
import { makeEndpoint, makeProject, writeFiles } from '../throw-away-project.ts';

const sandbox = await findSandbox();
const hasSandbox = !('why' in sandbox);
afterEach(() => void vi.unstubAllEnvs());

/** A project with its own caches and its own index, of which `trap` requires a package without a wheel. */
async function makeIndex(sources: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<string> {
  const root = await makeProject({ 'trap/1': 'm_obedient' });
  await mkdir(join(root, 'cache'));
  const uv = cacheFolder('uv');
  if (existsSync(uv)) await symlink(uv, join(root, 'cache', 'uv'));
  await mkdir(join(root, 'index'));
  for (const [name, files] of Object.entries(sources))
    writeSourceDistribution(join(root, 'index', `${name}.tar.gz`), files);
  await writeFiles(root, { 'models/trap/1/requirements.txt': 'davit-outer==1.0\n' });
  vi.stubEnv('DAVIT_CACHE', join(root, 'cache'));
  vi.stubEnv('UV_FIND_LINKS', join(root, 'index'));
  return root;
}

const makeSetup = (arguments_: string) => `import setuptools\nsetuptools.setup(${arguments_})\n`;
const OUTER = {
  'pyproject.toml': '[build-system]\nrequires = ["setuptools<81"]\nbuild-backend = "setuptools.build_meta"\n',
  'setup.py': makeSetup('name="davit-outer", version="1.0", py_modules=[], install_requires=["davit-trap>=1"]'),
};

function listPackages(lock: Lock) {
  return lock.virtualenvs[lock.entities['trap']!.virtualenv]!.packages;
}

test.runIf(hasSandbox)(
  'a wheel is built in the sandbox, locked by its hash, and built again to the same bytes',
  async () => {
    const server = createServer((_, response) => void response.end()).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const asked: string[] = [];
    server.on('request', ({ url }) => void asked.push(url ?? ''));
    // It notes in its own module what it could do.
    const hostile = (root: string) => `
import os, socket, urllib.request
done = []
def attempt(name, work):
    try:
        work()
        done.append(name)
    except Exception:
        pass
attempt("network", lambda: urllib.request.urlopen("http://127.0.0.1:${(server.address() as { port: number }).port}/", timeout=5))
attempt("secret", lambda: open("${root}/home/.netrc").read())
attempt("variable", lambda: os.environ["DAVIT_TEST_SECRET"])
attempt("write", lambda: open("${root}/marks/here", "w").write("x"))
attempt("index", lambda: os.listdir("${root}"))
open("davit_trap.py", "w").write("DONE = %r" % done)
${makeSetup('name="davit-trap", version="1.0", py_modules=["davit_trap"]')}`;
    const root = await makeIndex({ 'davit_outer-1.0': OUTER });
    await writeFiles(root, { 'home/.netrc': 'machine x login a password b\n', 'marks/.keep': '' });
    writeSourceDistribution(join(root, 'index', 'davit_trap-1.0.tar.gz'), { 'setup.py': hostile(root) });
    vi.stubEnv('HOME', join(root, 'home'));
    vi.stubEnv('DAVIT_TEST_SECRET', 'secret');
    // The model of the test requires no MLflow, so that little has to be installed.
    const options = {
      root,
      policies: [{ missing_module: 'ignore' } as const],
      tolerated: ['requirements-missing' as const],
    };

    const closed = await lockEndpoint(makeEndpoint('e', { trap: 'trap/1' }), options);
    expect(closed.diagnostics.find((d) => d.code === 'resolution-failed')?.hint).toContain(
      'add build_wheels: [davit-outer] to davit.served_entities.trap in endpoints/e.yaml',
    );
    const endpoint = makeEndpoint('e', { trap: 'trap/1' }, { trap: { build_wheels: ['davit-outer', 'davit-trap'] } });
    const forbidden = { ...options, policies: [{ missing_module: 'ignore', built_package: 'error' } as const] };
    const refused = await lockEndpoint(endpoint, forbidden);
    expect(refused.diagnostics.filter((d) => d.severity === 'error').map((d) => [d.code, d.message])).toEqual([
      [
        'package-built',
        expect.stringContaining('Cannot lock davit-outer 1.0 for trap 1: its wheel would have to be built'),
      ],
    ]);
    expect(existsSync(join(root, 'cache', 'wheels'))).toBe(false); // nothing was built
    const { lock, diagnostics } = await lockEndpoint(endpoint, options);
    expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    expect(diagnostics.filter((d) => d.code === 'package-built')).toHaveLength(2);
    expect(listPackages(lock!).map((p) => [p.name, p.built?.with.map((w) => w.name)])).toEqual([
      ['davit-outer', ['setuptools']],
      ['davit-trap', ['packaging', 'setuptools', 'wheel']],
    ]);
    await rm(join(root, 'cache', 'wheels'), { recursive: true });
    const made = await ensureVirtualenv(makeVirtualenvRequest(lock!, 'trap'), {
      sandbox: hasSandbox ? sandbox : undefined,
    });
    const said = execFileSync(made.python, ['-c', 'import davit_trap; print(davit_trap.DONE)'], { encoding: 'utf8' });
    expect(said).toBe('[]\n');
    expect(asked).toEqual([]);
    expect(await readdir(join(root, 'marks'))).toEqual(['.keep']);

    await writeFile(join(root, 'index', 'davit_trap-1.0.tar.gz'), 'another file');
    for (const kind of ['wheels', 'virtualenvs']) await rm(join(root, 'cache', kind), { recursive: true });
    const other = await ensureVirtualenv(makeVirtualenvRequest(lock!, 'trap')).catch((e: unknown) => String(e));
    expect(other).toContain('Cannot build davit-trap 1.0: the index has another source distribution');
  },
);

test.runIf(hasSandbox)(
  'a model that needs a built package goes the whole way: lock, proof, image, deployment, answer',
  async () => {
    const { root, remove } = await makeWorkingProject({ 'flowers/1': join(FIXTURES, 'models', 'p_flowers_1') });
    onTestFinished(remove);
    const [model, index] = [join(root, 'models', 'flowers', '1'), join(root, 'index')];
    await mkdir(index);
    writeSourceDistribution(join(index, 'davit_pure-1.0.tar.gz'), {
      'setup.py': makeSetup('name="davit-pure", version="1.0", py_modules=["davit_pure"]'),
      'davit_pure.py': 'ANSWER = 42\n',
    });
    const code = await readFile(join(model, 'model.py'), 'utf8');
    await writeFiles(root, {
      'models/flowers/1/model.py': `import davit_pure\n${code.replace('list(range(len(model_input)))', '[davit_pure.ANSWER] * len(model_input)')}`, // prettier-ignore
      'models/flowers/1/requirements.txt': 'mlflow-skinny==3.17.2\nnumpy==2.4.6\npandas==3.1.1\ndavit-pure==1.0\n',
      'endpoints/flowers.yaml':
        'name: flowers\nconfig:\n  served_entities: [{ name: iris, entity_name: flowers, entity_version: "1" }]\ndavit:\n  served_entities: { iris: { build_wheels: [davit-pure] } }\n',
    });
    vi.stubEnv('UV_FIND_LINKS', index);
    onTestFinished(async () => {
      await runDavit(root, 'down', '--all');
    });
    for (const args of [['lock'], ['validate'], ['up']])
      expect(await runDavit(root, ...args), args.join(' ')).toMatchObject({ status: 0 });
    const input = join(model, 'serving_input_example.json');
    expect(await runDavit(root, 'query', 'flowers', '--data', `@${input}`)).toMatchObject({ status: 0, stdout: '{"predictions": [42, 42, 42]}\n' }); // prettier-ignore

    const lock = (await readLock({ root, endpoints: 'endpoints' }, 'flowers')).value!;
    const wanted = { endpoint: { name: 'flowers' }, entity: { name: 'iris' }, lock, settings: SAMPLE_SETTINGS };
    const plan = await planImage(wanted);
    await makeBuildContext(plan, { root, lock, entity: 'iris', modelFolder: model, full: true });
    const site = join(root, plan.context, 'virtualenv/virtualenv/lib/python3.11/site-packages');
    expect(await readFile(join(site, 'davit_pure.py'), 'utf8')).toBe('ANSWER = 42\n');
  },
);
