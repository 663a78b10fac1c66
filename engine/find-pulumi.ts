import { SILENT, type Progress } from '../system/progress.ts';
import { PULUMI_SOURCES } from './pulumi-sources.ts';

/** The Pulumi engine to use. */
export interface PulumiEngine {
  /** Absolute path of the `pulumi` command; its language hosts lie beside it. */
  readonly command: string;
  /** `3.225.0` */
  readonly version: string;
  readonly source: SourceName;
}

export type SourceName = 'path' | 'download' | 'build';

/** A way to get an engine. Says why not by throwing. */
export interface PulumiSource {
  readonly name: SourceName;
  /** For a person: `the official download`. */
  readonly words: string;
  /** The engine, when it is here already; costs at most tenths of a second. */
  readonly find: (progress: Progress) => Promise<PulumiEngine | undefined>;
  /** Gets it, which may take minutes; throws why not. Absent: this source can only find. */
  readonly get?: (options: GetOptions) => Promise<PulumiEngine>;
  /** Why `find` found nothing, and how the user could change that. */
  readonly missing: string;
}

export interface GetOptions {
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds the Pulumi engine: the PATH's if new enough, then one that is cached, then the official download, then a build
 * from Go modules. `DAVIT_PULUMI_SOURCE` (path, download or build) forces one of them.
 */
export async function findPulumi(options: Partial<GetOptions> = {}): Promise<PulumiEngine> {
  const { progress = SILENT, signal } = options;
  const sources = chooseSources(process.env['DAVIT_PULUMI_SOURCE']);
  for (const source of sources) {
    const found = await source.find(progress);
    if (found) {
      if (!source.get) progress.say(`Using Pulumi ${found.version} of ${source.words}: ${found.command}`);
      return found;
    }
  }
  const reasons: string[] = [];
  for (const source of sources) {
    if (!source.get) {
      progress.say(`Cannot take Pulumi from ${source.words}: ${source.missing}`);
      reasons.push(`${source.words}: ${source.missing}`);
      continue;
    }
    try {
      const engine = await source.get({ progress, signal });
      progress.say(`Using Pulumi ${engine.version} from ${source.words}, kept in ${engine.command}`);
      return engine;
    } catch (e) {
      signal?.throwIfAborted();
      const why = e instanceof Error ? e.message : String(e);
      progress.say(`Cannot get Pulumi from ${source.words}: ${why}`);
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
