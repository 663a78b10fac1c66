import { dirname, join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { BUILT_VERSION, computePulumiBuildKey, buildPulumi, installLanguageHost } from '../../offline/build-pulumi.ts';
import { type CacheEntry, fillCache, findCachedEngine } from './cached-engine.ts';
import type { PulumiSource, PulumiEngine } from './pulumi-source.ts';

/** The real engine, built on this machine, for networks that reach package registries only. */
export const BUILD_SOURCE: PulumiSource = {
  name: 'build',
  words: 'a build from Go modules',
  find: async (progress) => withLanguageHost(await findCachedEngine(await entry(), progress)),
  get: async (options) =>
    fillCache(await entry(), options, async (folder) => {
      await mkdir(join(folder, 'bin'));
      await buildPulumi(join(folder, 'bin'), options);
    }),
};

async function entry(): Promise<CacheEntry> {
  return { key: `${BUILT_VERSION}-${await computePulumiBuildKey()}`, version: BUILT_VERSION, source: 'build' };
}

/** The language host is always of this version; the cached binary may be of an earlier one. */
async function withLanguageHost(engine: PulumiEngine | undefined): Promise<PulumiEngine | undefined> {
  if (engine) await installLanguageHost(dirname(engine.command));
  return engine;
}
