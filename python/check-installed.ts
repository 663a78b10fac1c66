import { runUntrusted } from '../sandbox/run-untrusted.ts';
import { findBasePython } from './find-base-python.ts';
import type { Python } from './find-python.ts';
import { findUv, type PythonOptions } from './find-uv.ts';
import { VirtualenvError } from './virtualenv-error.ts';

const LIMIT_SECONDS = 120;
const OUTPUT_BYTES = 1 << 20;

/**
 * Checks that the installed packages fit together. uv starts the virtualenv's Python for that, which may run code of a
 * package, so it does so in the sandbox. Throws a VirtualenvError.
 */
export async function checkInstalled(
  virtualenv: { readonly folder: string; readonly python: string },
  base: Python,
  options: PythonOptions,
): Promise<void> {
  const { sandbox, signal } = options;
  const [uv, { folders }] = await Promise.all([findUv(options), findBasePython(base.executable)]);
  const run = await runUntrusted(
    {
      command: [uv, 'pip', 'check', '--python', virtualenv.python, '--no-config', '--no-cache', '--offline'],
      env: { UV_NO_PROGRESS: '1' },
      path: [],
      readable: [uv, ...folders, virtualenv.folder],
      limits: {
        seconds: LIMIT_SECONDS,
        outputBytes: OUTPUT_BYTES,
        processMemoryBytes: undefined,
        memoryBytes: undefined,
      },
      signal,
    },
    sandbox,
  );
  if (run.code === 0) return;
  const lines = run.stderr
    .split('\n')
    .filter((l) => / requires | has been installed|not compatible|is not supported/.test(l))
    .map((l) => l.trim());
  const what = (lines.length > 0 ? lines : [run.stderr.trim()]).slice(0, 5).join('; ');
  throw new VirtualenvError('incompatible-packages', `Cannot use the packages together: ${what}`);
}
