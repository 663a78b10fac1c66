import { version as SDK_VERSION } from '@pulumi/pulumi/version.js';
import { programPath } from '../../system/code.ts';
import { runProcess } from '../../system/run-process.ts';
import { type CacheEntry, fillCache, findCachedEngine } from './cached-engine.ts';
import type { InstallOptions, PulumiSource } from './pulumi-source.ts';

const INSTALLER = programPath('engine', 'install', 'install-official-pulumi.ts');
/** The download is about 150 MB. An unreachable network fails within 5 s. */
const LIMIT_SECONDS = 600;

const ENTRY: CacheEntry = { key: `${SDK_VERSION}-official`, version: SDK_VERSION, source: 'download' };

/** Pulumi's own download, in the version of the SDK in package.json. */
export const DOWNLOAD_SOURCE: PulumiSource = {
  name: 'download',
  words: 'the official download',
  find: (progress) => findCachedEngine(ENTRY, progress),
  get: (options) => fillCache(ENTRY, options, (folder) => download(folder, options)),
};

/** Runs in a process of its own, so that it can be stopped in the middle. */
async function download(folder: string, { progress, signal }: InstallOptions): Promise<void> {
  progress.say(`Downloading Pulumi ${SDK_VERSION} from get.pulumi.com: once, about 150 MB …`);
  const ran = await runProcess(process.execPath, [INSTALLER, folder], {
    env: { ...process.env, NODE_USE_ENV_PROXY: '1' },
    limitSeconds: LIMIT_SECONDS,
    ...(signal && { signal }),
  });
  if (ran.timedOut) throw new Error(`it took more than ${LIMIT_SECONDS} s`);
  if (ran.code !== 0) throw new Error(ran.stderr.trim().split('\n').at(-1) ?? 'the download failed');
}
