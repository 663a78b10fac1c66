import { readFile } from 'node:fs/promises';
import type { LockedPackage } from '../schemas/lock/lock.ts';
import { codePath } from '../system/code.ts';
import { ensureVirtualenv, type Virtualenv } from './ensure-virtualenv.ts';
import { VirtualenvError } from './virtualenv-error.ts';
import { chooseMinorVersion } from './find-python.ts';
import { removeComment } from './remove-comment.ts';
import { normalizePackageName } from './normalize-package-name.ts';
import type { PythonOptions } from './find-uv.ts';

/** Python versions that can run the model server's front, in order of preference. */
const FRONT_PYTHONS = ['3.12', '3.11', '3.13', '3.10'];

/** Ensures the virtualenv of the model server's front, from `runtime/requirements.txt`. Separate from the model's. */
export async function ensureFrontVirtualenv(options: PythonOptions = {}): Promise<Virtualenv> {
  const packages = parseLockedRequirements(await readFile(codePath('runtime', 'requirements.txt'), 'utf8'));
  const python = await chooseMinorVersion(FRONT_PYTHONS);
  try {
    return await ensureVirtualenv({ python, platform: 'here', packages }, options);
  } catch (e) {
    if (e instanceof VirtualenvError) throw new Error(`Cannot prepare the model server: ${e.message}`, { cause: e });
    throw e;
  }
}

/** Parses the output of `uv pip compile --generate-hashes` into packages, sorted by name. */
export function parseLockedRequirements(text: string): readonly LockedPackage[] {
  const lines = text
    .replace(/\\\r?\n/g, ' ')
    .split('\n')
    .map((line) => removeComment(line).trim())
    .filter((line) => line !== '' && !line.startsWith('-'));
  const packages = lines.map(parseLockedRequirement);
  return [...packages].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function parseLockedRequirement(line: string): LockedPackage {
  const hashes = [...line.matchAll(/--hash=(sha256:[0-9a-f]{64})/g)].map((m) => m[1] ?? '').sort();
  const [head = ''] = line.split(/\s(?:;|--hash)/);
  const pinned = /^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)/.exec(head);
  if (pinned) return { name: normalizePackageName(pinned[1] ?? ''), version: pinned[2] ?? '', hashes };
  const direct = /^([A-Za-z0-9._-]+)(?:\[[^\]]*\])? @ (\S+)/.exec(head);
  if (direct) return { name: normalizePackageName(direct[1] ?? ''), version: '', source: direct[2] ?? '', hashes };
  throw new SyntaxError(`Cannot read the locked requirement "${line.slice(0, 80)}": expected NAME==VERSION --hash=…`);
}
