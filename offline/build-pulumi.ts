import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { codePath } from '../system/code.ts';
import { type BuildOptions, buildGo, type GoBuild, computeGoBuildKey } from '../system/go-build.ts';

/** The newest Pulumi whose command is available as a Go module; go.mod pins the same version. */
export const BUILT_VERSION = '3.225.0';

const LANGUAGE_HOST = codePath('offline', 'pulumi-language-nodejs');
const PULUMI: GoBuild = {
  name: `Pulumi ${BUILT_VERSION}`,
  source: codePath('offline', 'pulumi'),
  sources: ['go.mod', 'go.sum'],
  packages: ['github.com/pulumi/pulumi/pkg/v3/cmd/pulumi'],
  variables: [`github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${BUILT_VERSION}`],
  count: 1444,
  usually: '2 to 5 minutes',
};

/** A key of everything that the built engine depends on: the same key means the same binary. */
export function computePulumiBuildKey(): Promise<string> {
  return computeGoBuildKey(PULUMI);
}

/** Builds the real `pulumi` into the folder `bin`, from Go modules, with our Node language host beside it. */
export async function buildPulumi(bin: string, options: BuildOptions): Promise<void> {
  await buildGo(PULUMI, join(bin, 'pulumi'), options);
  await installLanguageHost(bin);
}

/**
 * Puts our Node language host beside a built engine if it is missing or old. It is a script that finds this code at run
 * time.
 */
export async function installLanguageHost(bin: string): Promise<void> {
  const file = join(bin, 'pulumi-language-nodejs');
  const [ours, there] = await Promise.all([readFile(LANGUAGE_HOST, 'utf8'), readFile(file, 'utf8').catch(() => '')]);
  if (ours !== there) await writeFileAtomically(file, ours, 0o755);
}
