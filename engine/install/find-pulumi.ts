import { SILENT } from '../../system/progress.ts';
import type { InstallOptions, PulumiEngine, PulumiSource } from './pulumi-source.ts';
import { PULUMI_SOURCES } from './pulumi-sources.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

/**
 * Finds the Pulumi engine. The order is: the one on the PATH if it is new enough, a cached one, the official download,
 * a build from Go modules. `DAVIT_PULUMI_SOURCE` (path, download or build) forces one of them.
 */
export async function findPulumi(options: Partial<InstallOptions> = {}): Promise<PulumiEngine> {
  const { progress = SILENT, signal } = options;
  const sources = chooseSources(process.env['DAVIT_PULUMI_SOURCE']);
  for (const source of sources) {
    const found = await source.find(progress);
    if (found) {
      if (!source.get) progress.say(`Using Pulumi ${found.version} from ${source.words}: ${found.command}`);
      return found;
    }
  }
  const reasons: string[] = [];
  for (const source of sources) {
    if (!source.get) {
      const missing = source.missing ?? 'pulumi';
      progress.say(`No ${missing} on ${source.words}`);
      reasons.push(`${source.words}: no ${missing}`);
      continue;
    }
    try {
      const engine = await source.get({ progress, signal });
      progress.say(`Using Pulumi ${engine.version} from ${source.words}, cached in ${engine.command}`);
      return engine;
    } catch (e) {
      signal?.throwIfAborted();
      const why = readErrorMessage(e);
      progress.say(`Pulumi is unavailable from ${source.words}: ${why}`);
      reasons.push(`${source.words}: ${why}`);
    }
  }
  throw new Error(
    `Cannot find the Pulumi engine. Tried:\n${reasons.map((r) => `  - ${r}`).join('\n')}\n${INSTALL_HINT}`,
  );
}

const INSTALL_HINT =
  'Do one of these: install Pulumi 3.225.0 or newer (https://www.pulumi.com/docs/install) · let this machine reach get.pulumi.com · install Go 1.25.6 or newer (https://go.dev/dl) with a Go module proxy';

function chooseSources(forced: string | undefined): readonly PulumiSource[] {
  if (forced === undefined || forced === '') return PULUMI_SOURCES;
  const chosen = PULUMI_SOURCES.filter((s) => s.name === forced);
  if (chosen.length > 0) return chosen;
  throw new RangeError(`Cannot use DAVIT_PULUMI_SOURCE "${forced}": expected path, download or build`);
}
