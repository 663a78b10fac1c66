import type { Progress } from '../../system/progress.ts';

/** The Pulumi engine to use. */
export interface PulumiEngine {
  /** Absolute path of the `pulumi` command; its language hosts are in the same folder. */
  readonly command: string;
  /** `3.225.0` */
  readonly version: string;
  readonly source: PulumiSourceName;
}

export type PulumiSourceName = 'path' | 'download' | 'build';

/** A way to get an engine. It throws the reason when it cannot. */
export interface PulumiSource {
  readonly name: PulumiSourceName;
  /** For messages: `the official download`. */
  readonly words: string;
  /** The engine, if it is already on this machine; takes at most tenths of a second. */
  readonly find: (progress: Progress) => Promise<PulumiEngine | undefined>;
  /** Gets it, which may take minutes; throws why not. A source without it can only find. */
  readonly get?: (options: InstallOptions) => Promise<PulumiEngine>;
  /** What a source that can only find looks for: `pulumi 3.225.0 or newer`. */
  readonly missing?: string;
}

export interface InstallOptions {
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}
