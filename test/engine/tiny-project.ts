import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openPulumiFolder, type PulumiProject } from '../../engine/pulumi-project.ts';
import { serveProviderToEngine } from '../../pulumi-provider/provider-server.ts';
import type { ThingInputs } from './tiny/thing.ts';
import { TINY_PROVIDER } from './tiny/tiny-provider.ts';

export interface ThrowAwayProject {
  readonly root: string;
  /** Where its things are made. */
  readonly folder: string;
  /** Says what the next update should make; `folder` is filled in. */
  readonly declare: (things: Readonly<Record<string, Omit<ThingInputs, 'folder'>>>) => Promise<void>;
  /** Opens it so that the engine starts its program and its provider. */
  readonly openPlain: () => Promise<PulumiProject>;
  /** Opens it so that both run in this process, as for `davit`. The engine starts neither, which saves three starts of Node. */
  readonly open: () => Promise<PulumiProject>;
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
    openPlain: () => openPulumiFolder(root),
    open: async () => {
      const plain = await openPulumiFolder(root);
      const provider = await serveProviderToEngine(() => TINY_PROVIDER);
      onTestFinished(provider.close);
      const environment = { ...plain.environment, PULUMI_DEBUG_PROVIDERS: `davit:${provider.port}` };
      return { ...plain, environment, programServer: join(TINY, 'serve-program.ts') };
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
