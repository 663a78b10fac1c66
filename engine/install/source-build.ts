import { dirname, join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { BUILT_VERSION, buildKey, buildPulumi, installLanguageHost } from '../../offline/build-pulumi.ts';
import { type CacheEntry, fillCache, findCached } from './cached-engine.ts';
import type { PulumiEngine, PulumiSource } from './find-pulumi.ts';

/** The real engine, built on this machine, for networks that reach package registries only. */
export const BUILD: PulumiSource = {
  name: 'build',
  words: 'a build from Go modules',
  find: async (progress) => withLanguageHost(await findCached(await entry(), progress)),
  get: async (options) =>
    fillCache(await entry(), options, async (folder) => {
      await mkdir(join(folder, 'bin'));
      await buildPulumi(join(folder, 'bin'), options);
    }),
};

async function entry(): Promise<CacheEntry> {
  return { key: `${BUILT_VERSION}-${await buildKey()}`, version: BUILT_VERSION, source: 'build' };
}

/** The language host is always of this version; the cached binary may be of an earlier one. */
async function withLanguageHost(engine: PulumiEngine | undefined): Promise<PulumiEngine | undefined> {
  if (engine) await installLanguageHost(dirname(engine.command));
  return engine;
}
