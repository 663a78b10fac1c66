import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { CODE_FOLDER, codePath, findCodeFolder } from '../../system/code.ts';

const HERE = dirname(dirname(import.meta.dirname));

it('CODE is the folder of all of Davit, and codePath() leads from there', () => {
  expect(CODE_FOLDER).toBe(HERE);
  expect(codePath('runtime', 'davit_server')).toBe(join(HERE, 'runtime', 'davit_server'));
});

it('findCodeFolder() goes upwards past package.json files that are not ours, or not even JSON', () => {
  const release = mkdtempSync(join(tmpdir(), 'davit-code-'));
  const dist = join(release, 'action', 'dist');
  mkdirSync(dist, { recursive: true });
  writeFileSync(join(release, 'package.json'), '{"name":"davit"}');
  writeFileSync(join(release, 'action', 'package.json'), 'null');
  writeFileSync(join(dist, 'package.json'), '{');
  expect(findCodeFolder(dist)).toBe(release);
});

it('findCodeFolder() says so when a release is not whole', () => {
  const empty = mkdtempSync(join(tmpdir(), 'davit-code-'));
  expect(() => findCodeFolder(empty)).toThrow(
    `Cannot find Davit's own files: neither ${empty} nor a folder above it has Davit's package.json, expected a complete checkout or release`,
  );
});
