import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { imageTag, makeImageFiles, readSources } from '../../edge/image-files.ts';

describe('the image of the authorisation service', () => {
  const folders: string[] = [];
  afterEach(() => folders.splice(0).forEach((f) => rmSync(f, { recursive: true, force: true })));

  it('holds the sources that are loaded, and no package of npm', () => {
    const files = Object.keys(makeImageFiles('node@sha256:1'));
    expect(files).toEqual(
      expect.arrayContaining([
        'Dockerfile',
        'package.json',
        'edge/service.ts',
        'gateway/refusal.ts',
        'schemas/names.ts',
      ]),
    );
    expect(files.filter((f) => !/^(edge|gateway|schemas|system|kubernetes)\/[\w-]+\.ts$/.test(f))).toEqual([
      'package.json',
      'Dockerfile',
    ]);
    expect(files).not.toContain('edge/envoy-bootstrap.ts');
  });

  it('refuses a package of npm', () => {
    const folder = mkdtempSync(join(tmpdir(), 'davit-sources-'));
    folders.push(folder);
    writeFileSync(join(folder, 'a.ts'), "import { z } from 'zod';\nimport type { X } from 'types';\n");
    expect(() => readSources('a.ts', folder)).toThrow('Cannot put a.ts into the image: it imports "zod"');
    writeFileSync(join(folder, 'a.ts'), "import type { X } from 'types';\nimport {\n  a,\n  b,\n} from './b.ts';\n");
    cpSync(join(folder, 'a.ts'), join(folder, 'c.ts'));
    writeFileSync(join(folder, 'b.ts'), "export { c } from './c.ts';\nimport 'node:fs';\n");
    expect(Object.keys(readSources('a.ts', folder))).toEqual(['a.ts', 'b.ts', 'c.ts']);
  });

  it('has a tag of its content', () => {
    const [files, other] = [makeImageFiles('node@sha256:1'), makeImageFiles('node@sha256:2')];
    expect(imageTag(files)).toMatch(/^[0-9a-f]{12}$/);
    expect([imageTag(makeImageFiles('node@sha256:1')), imageTag(other) === imageTag(files)]).toEqual([
      imageTag(files),
      false,
    ]);
    expect(files['Dockerfile']).toMatch(
      /^FROM node@sha256:1\n[^]*USER 65532:65532\n[^]*ENTRYPOINT \["node", .*"edge\/service.ts"\]\n$/,
    );
  });
});
