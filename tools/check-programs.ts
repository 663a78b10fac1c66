import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureVirtualenv } from '../python/ensure-virtualenv.ts';
import { parseLockedRequirements } from '../python/ensure-front-virtualenv.ts';
import { chooseMinorVersion } from '../python/find-python.ts';
import { codePath } from '../system/code.ts';

const PYTHONS = ['3.12', '3.11', '3.13'];

/** Returns the path of a program of check-requirements.txt. Installs the pinned wheels, by their hashes, once. */
export async function ensureCheckProgram(name: 'ruff' | 'zizmor'): Promise<string> {
  const packages = parseLockedRequirements(await readFile(codePath('tools', 'check-requirements.txt'), 'utf8'));
  const python = await chooseMinorVersion(PYTHONS);
  const virtualenv = await ensureVirtualenv({ python, platform: 'here', packages });
  return join(dirname(virtualenv.python), name);
}
