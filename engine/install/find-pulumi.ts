import { SILENT, type Progress } from '../../system/progress.ts';
import { PULUMI_SOURCES } from './pulumi-sources.ts';

/** The Pulumi engine to use. */
export interface PulumiEngine {
  /** Absolute path of the `pulumi` command; its language hosts are in the same folder. */
  readonly command: string;
  /** `3.225.0` */
  readonly version: string;
  readonly source: SourceName;
}

export type SourceName = 'path' | 'download' | 'build';

/** A way to get an engine. It throws the reason when it cannot. */
export interface PulumiSource {
  readonly name: SourceName;
  /** For messages: `the official download`. */
  readonly words: string;
  /** The engine, if it is already on this machine; takes at most tenths of a second. */
  readonly find: (progress: Progress) => Promise<PulumiEngine | undefined>;
  /** Gets it, which may take minutes; throws why not. A source without it can only find. */
  readonly get?: (options: GetOptions) => Promise<PulumiEngine>;
  /** What a source that can only find did not find: `no pulumi 3.225.0 or newer`. */
  readonly missing?: string;
}

export interface GetOptions {
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds the Pulumi engine. The order is: the one on the PATH if it is new enough, a cached one, the official download,
 * a build from Go modules. `DAVIT_PULUMI_SOURCE` (path, download or build) forces one of them.
 */
export async function findPulumi(options: Partial<GetOptions> = {}): Promise<PulumiEngine> {
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
      const missing = source.missing ?? 'no pulumi';
      progress.say(`Found ${missing} on ${source.words}`);
      reasons.push(`${source.words}: ${missing}`);
      continue;
    }
    try {
      const engine = await source.get({ progress, signal });
      progress.say(`Using Pulumi ${engine.version} from ${source.words}, kept in ${engine.command}`);
      return engine;
    } catch (e) {
      signal?.throwIfAborted();
      const why = e instanceof Error ? e.message : String(e);
      progress.say(`Pulumi is unavailable from ${source.words}: ${why}`);
      reasons.push(`${source.words}: ${why}`);
    }
  }
  throw new Error(`Cannot find the Pulumi engine. Tried:\n${reasons.map((r) => `  - ${r}`).join('\n')}\n${WHAT_TO_DO}`);
}

const WHAT_TO_DO =
  'Do one of these: install Pulumi 3.225.0 or newer (https://www.pulumi.com/docs/install) · let this machine reach get.pulumi.com · install Go 1.25.6 or newer (https://go.dev/dl) with a Go module proxy';

function chooseSources(forced: string | undefined): readonly PulumiSource[] {
  if (forced === undefined || forced === '') return PULUMI_SOURCES;
  const chosen = PULUMI_SOURCES.filter((s) => s.name === forced);
  if (chosen.length > 0) return chosen;
  throw new RangeError(`Cannot use DAVIT_PULUMI_SOURCE "${forced}": expected path, download or build`);
}
