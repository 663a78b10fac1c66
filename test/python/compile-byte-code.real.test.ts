import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ByteCodeCompiler } from '../../python/compile-byte-code.ts';
import { findBasePython } from '../../python/find-base-python.ts';
import { listPythons } from '../../python/find-python.ts';
import { writeFiles } from '../validation/throw-away-project.ts';

test('ByteCodeCompiler compiles modules of the virtualenv, runs none of them, and touches no other file', async () => {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'davit-byte-code-')));
  onTestFinished(() => rm(root, { recursive: true }));
  const [folder, marks] = [join(root, 'virtualenv'), join(root, 'marks')];
  await mkdir(marks);
  const module = `open(${JSON.stringify(join(marks, 'ran'))}, "w").close()\n`;
  await writeFiles(root, {
    'virtualenv/lib/a.py': module,
    'virtualenv/lib/broken.py': 'def',
    'virtualenv/lib/b.py': 'X = 1\n',
    'virtualenv/lib/huge.py': 'x\n'.repeat(2 ** 20), // would need more than a gigabyte
    'outside.py': module,
    'virtualenv/lib/data.txt': '',
  });
  const [base] = await listPythons('3.11');
  const executable = base?.executable ?? '';
  const pycache = join(folder, 'pycache');
  const virtualenv = { folder, python: executable, pythonVersion: base?.version ?? '', pycache, key: '' };
  const compiler = new ByteCodeCompiler(virtualenv, { executable, folders: [join(executable, '../../lib')] }, []);
  const lib = join(folder, 'lib');
  compiler.add([join(lib, 'broken.py'), join(lib, 'a.py'), join(lib, 'data.txt'), join(root, 'outside.py')]);
  compiler.add([`${lib}/../../outside.py`, `${lib}/b.py\n${root}/outside.py`, 'relative.py', join(pycache, 'x.py')]);
  compiler.add([join(lib, 'huge.py'), join(lib, 'b.py'), join(lib, 'b.py')]);
  await compiler.end();
  const made = (await readdir(pycache, { recursive: true })).filter((name) => name.endsWith('.pyc'));
  expect(made.map((name) => name.split('/').at(-1)).sort()).toEqual(['a.cpython-311.pyc', 'b.cpython-311.pyc']);
  expect(await readdir(marks)).toEqual([]);
  // Python takes it for its own: it would write to the module's name otherwise.
  const loads =
    'import importlib.util as u; s = u.spec_from_file_location("b", __import__("sys").argv[1]); m = u.module_from_spec(s); s.loader.exec_module(m); print(m.X, m.__cached__)';
  const said = execFileSync(executable, ['-c', loads, join(lib, 'b.py')], { env: { PYTHONPYCACHEPREFIX: pycache } });
  expect(String(said).trim()).toBe(`1 ${join(pycache, lib.slice(1), 'b.cpython-311.pyc')}`);
});

test('a Python that is beside files of a user is no reason to show those', async () => {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'davit-home-')));
  onTestFinished(() => rm(home, { recursive: true }));
  await writeFiles(home, {
    '.local/bin/python3.11': '',
    '.local/lib/python3.11/os.py': '',
    '.local/share/keyrings/a': '',
  });
  const { folders } = await findBasePython(join(home, '.local/bin/python3.11'));
  expect(folders).toEqual([join(home, '.local/bin'), join(home, '.local/lib')]);
});
