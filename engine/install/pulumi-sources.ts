import type { PulumiSource } from './pulumi-source.ts';
import { BUILD_SOURCE } from './source-build.ts';
import { DOWNLOAD_SOURCE } from './source-download.ts';
import { PATH } from './source-path.ts';

/** The sources of an engine, best first. */
export const PULUMI_SOURCES: readonly PulumiSource[] = [PATH, DOWNLOAD_SOURCE, BUILD_SOURCE];
