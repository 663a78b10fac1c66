import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findPython } from '../../python/find-python.ts';
import { codePath } from '../../system/code.ts';
import { runProcess } from '../../system/run-process.ts';

const PROGRAM = `
import sys
sys.path.insert(0, sys.argv[1])
import settle
settle.compile_library(sys.argv[2], sys.argv[3])
`;

it('gives a library the byte code that it lacks, and that Python takes without looking at the source', async () => {
  const [library, layer] = ['library', 'layer'].map((name) => mkdtempSync(join(tmpdir(), `davit-${name}-`)));
  if (!library || !layer) throw new Error('no folders');
  const python = (await findPython('3.11'))?.executable ?? '';
  const tag = '.cpython-311.pyc';
  for (const name of ['json', 'tkinter', 'json/tests', '__pycache__']) mkdirSync(join(library, name));
  for (const name of ['one.py', 'two.py', 'json/__init__.py', 'json/tests/three.py', 'tkinter/four.py'])
    writeFileSync(join(library, name), 'VALUE = "compiled"\n');
  writeFileSync(join(library, 'template.py'), 'this is {{ no }} Python\n');
  writeFileSync(join(library, '__pycache__', `one${tag}`), '');
  const ran = await runProcess(python, ['-B', '-c', PROGRAM, codePath('images'), layer, library]);
  expect(ran.code, ran.stderr).toBe(0);
  const made = (await readdir(join(layer, library), { recursive: true })).filter((file) => file.endsWith('.pyc'));
  expect(made.sort()).toEqual([`__pycache__/two${tag}`, `json/__pycache__/__init__${tag}`]);

  writeFileSync(join(library, 'two.py'), 'VALUE = "source"\n');
  const copied = `import os, shutil, sys; shutil.copy(sys.argv[2] + sys.argv[1] + '/__pycache__/two${tag}', sys.argv[1] + '/__pycache__'); sys.path.insert(0, sys.argv[1]); import two; print(two.VALUE)`;
  expect((await runProcess(python, ['-B', '-c', copied, library, layer])).stdout.trim()).toBe('compiled');
});
