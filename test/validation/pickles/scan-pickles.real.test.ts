import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { scanPickles } from '../../../validation/pickles/scan-pickles.ts';
import type * as RunUntrusted from '../../../sandbox/run-untrusted.ts';

const machine = vi.hoisted(() => ({ isBusy: false }));
vi.mock('../../../sandbox/run-untrusted.ts', async (load) => {
  const real = await load<typeof RunUntrusted>();
  const cut = { code: 137, signal: undefined, stdout: '', stderr: '', stopped: undefined };
  const runUntrusted: typeof real.runUntrusted = (...args) =>
    machine.isBusy ? Promise.resolve(cut) : real.runUntrusted(...args);
  return { ...real, runUntrusted };
});

/** Scans the files of make_pickles.py as a model whose lock has pandas, numpy, joblib and cloudpickle. */
async function scanAll() {
  const folder = await mkdtemp(join(tmpdir(), 'pickles-'));
  const model = join(folder, 'model');
  execFileSync('python3', [join(import.meta.dirname, 'make_pickles.py'), model]);
  for (const name of ['pandas', 'numpy', 'joblib', 'cloudpickle', 'keras'])
    await mkdir(join(folder, 'virtualenv/lib/python3.11/site-packages', name), { recursive: true });
  const virtualenv = {
    folder: join(folder, 'virtualenv'),
    python: '',
    pythonVersion: '3.11.7',
    pycache: '',
    key: folder,
  };
  const made: string[] = [];
  const prepare = () => {
    made.push('virtualenv');
    return Promise.resolve(undefined);
  };
  const scan = () => scanPickles({ folder: model, digest: folder, virtualenv, prepare }, {});
  const found = await scan();
  await rm(model, { recursive: true });
  expect(await scan()).toEqual(found); // from the cache, which has no file of the model
  expect(made).toEqual(['virtualenv']);
  return Object.fromEntries(found.map((f) => [f.path, f]));
}

test('scanPickles() names every import that a hostile pickle hides, and none of an honest one', async () => {
  const found = await scanAll();
  const clean = Object.keys(found).filter(
    (path) => path.startsWith('honest') || path.startsWith('MLmodel') || path === 'other/config.json',
  );
  expect(clean.map((path) => found[path])).toEqual([]);
  const system = /^(?:os|posix)\.system(?:\(\))?$/;
  const hidden = [
    ...[0, 1, 2, 3, 4, 5].map((protocol) => `evil-${protocol}.pkl`),
    ...['gzip.pkl', 'zlib.joblib', 'xz.joblib', 'lzma.joblib', 'bz2.joblib', 'twice.pkl', 'torch.pt:archive/data.pkl'],
    ...['any-member.pt:archive/weights', 'any-name.json', 'prefix.zip:x', 'a.tar.gz:x.pkl', 'object.npy'],
    ...['model.skops:schema.json', 'nested.pkl', 'second.pkl', 'cut.pkl', 'broken-later.pkl', 'memo.pkl', 'pop.pkl'],
    ...['getattr.pkl', 'subimport.pkl', 'attrgetter.pkl', 'instance.pkl', 'array.joblib', 'huge-memo.pkl'],
    ...['named.md', 'named.py', 'named.safetensors', 'text.rst', 'skipped.pkl', 'two/hdf5', 'two/config.json'],
    ...['two/keras_metadata.pb', 'two/zip', 'two/tar', 'two/member.pt:archive/x', 'two/descr.npy', 'two/after.gz'],
    ...['two/streams.joblib', 'two/old.joblib'],
  ];
  for (const path of hidden)
    expect([path, found[path]?.imports]).toEqual([path, expect.arrayContaining([expect.stringMatching(system)])]);
  const reducers = ['other', 'memo', 'argument', 'result', 'unlisted', 'attribute', 'wrong-combiner', 'cut'];
  for (const path of reducers.map((kind) => `reduce-${kind}.pkl`))
    expect([path, found[path]?.imports]).toEqual([
      path,
      expect.arrayContaining([expect.stringMatching(/^_?functools\.reduce(?:\(\))?$/)]),
    ]);
  const lambdas = ['lambda.keras:config.json', 'lambda-deep.keras:config.json', 'saved/keras_metadata.pb'];
  lambdas.push('unpacked/config.json', 'two/pickle.keras:config.json', 'two/array.keras:config.json', 'two/block.h5');
  lambdas.push('saved-old/saved_model.pb', 'linked/keras_metadata.pb');
  for (const name of ['.h5', '-tuple.h5', '-shape.hdf5', '-any-name', '-escaped.h5']) lambdas.push(`lambda${name}`);
  for (const path of lambdas)
    expect([path, found[path]?.imports]).toEqual([
      path,
      expect.arrayContaining(['the byte code of a function (Lambda layer)']),
    ]);
  const others = {
    'through-package.pkl': 'pandas.io.common.os.system()',
    'dotted.pkl': 'pathlib.Path.write_text',
    'globals.pkl': 'pandas.DataFrame.__init__.__globals__',
    'unknown-package.pkl': 'evilpackage.run',
    'extension.pkl': 'copyreg.extension 1',
    'called.keras:config.json': 'os.system()',
    'called.h5': 'os.system()',
    'listed.keras:config.json': 'os.system()',
    'builtin.keras:config.json': 'builtins.exec()',
    'exec-1.pkl': 'dataclasses._create_fn',
    'exec-2.pkl': 'typing._eval_type',
    'exec-3.pkl': 'builtins.len.__self__.exec',
    'exec-4.pkl': 'operator.__call__',
    'exec-5.pkl': 'statistics.sys',
    'exec-6.pkl': 'pathlib.Path.write_text()',
  };
  for (const [path, name] of Object.entries(others)) expect([path, found[path]?.imports]).toEqual([path, [name]]);
  const unread = ['cut.pkl', 'lz4.joblib', 'huge-claim.pkl', 'bomb.pkl.gz', 'deep-schema.skops:schema.json'];
  unread.push('damaged.keras:config.json', 'damaged.h5');
  for (const path of unread) expect([path, found[path]?.incomplete]).toEqual([path, expect.any(String)]);
  expect(found['evil-4.pkl']?.incomplete).toBeUndefined();
});

test('scanPickles() does not keep a scan that was cut short', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'davit-cut-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const virtualenv = { folder, python: '', pythonVersion: '3.11.7', pycache: '', key: folder };
  const model = { folder, digest: folder, virtualenv, prepare: () => Promise.resolve(undefined) };
  machine.isBusy = true;
  expect(await scanPickles(model, {})).toMatchObject([{ path: '.', incomplete: 'the scan ended with exit code 137' }]);
  machine.isBusy = false;
  expect(await scanPickles(model, {})).toEqual([]);
});
