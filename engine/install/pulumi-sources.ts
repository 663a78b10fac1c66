import type { PulumiSource } from './find-pulumi.ts';
import { BUILD } from './source-build.ts';
import { DOWNLOAD } from './source-download.ts';
import { PATH } from './source-path.ts';

/** The sources of an engine, best first. */
export const PULUMI_SOURCES: readonly PulumiSource[] = [PATH, DOWNLOAD, BUILD];
