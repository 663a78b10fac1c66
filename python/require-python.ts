import { findPython, listPythons, minorVersion, type Python } from './find-python.ts';
import type { PythonOptions } from './find-uv.ts';
import { VirtualenvError } from './virtualenv-error.ts';

/** Finds the interpreter for `3.11`, or preferably the full `3.11.7`. Throws a VirtualenvError if there is none. */
export async function requirePython(wanted: string, options: PythonOptions): Promise<Python> {
  const python = await findPython(wanted, options);
  if (python) return python;
  const minor = minorVersion(wanted);
  const here = (await listPythons()).map((p) => p.version).join(', ') || 'none';
  throw new VirtualenvError(
    'python-unavailable',
    `Cannot find Python ${minor}: this machine has ${here}, and uv cannot download it`,
    { hint: `Install it (uv python install ${minor}, pyenv install ${minor}, or your system's packages)` },
  );
}
