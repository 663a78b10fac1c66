import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ThingInputs } from './tiny/thing.ts';

export interface ThrowAwayProject {
  readonly root: string;
  /** Where its things are made. */
  readonly folder: string;
  /** Says what the next update should make; `folder` is filled in. */
  readonly declare: (things: Readonly<Record<string, Omit<ThingInputs, 'folder'>>>) => Promise<void>;
}

const TINY = join(import.meta.dirname, 'tiny');

/** Makes a project whose program and provider are the tiny ones beside this file; it is removed after the test. */
export async function makeThrowAwayProject(): Promise<ThrowAwayProject> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'davit-engine-')));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await writeFile(join(root, 'Pulumi.yaml'), PULUMI_YAML);
  const folder = join(root, 'things');
  return {
    root,
    folder,
    declare: (things) => {
      const complete = Object.entries(things).map(([name, thing]) => [name, { ...thing, folder }]);
      return writeFile(join(root, 'things.json'), JSON.stringify(Object.fromEntries(complete)));
    },
  };
}

const PULUMI_YAML = `
name: tiny
runtime: { name: nodejs, options: { typescript: false } }
main: ${join(TINY, 'program')}
stackConfigDir: .davit/stacks
backend: { url: 'file://.davit/pulumi' }
plugins: { providers: [{ name: davit, path: ${join(TINY, 'plugin')} }] }
`;
