import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listPythons } from '../../python/find-python.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { WHEELS_ONLY } from '../../python/install-packages.ts';
import { normalizePackageName } from '../../python/normalize-package-name.ts';
import { runUv } from '../../python/run-uv.ts';
import type { LockedVirtualenv } from '../../schemas/lock/lock.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { parseYanked, separateNotes, type YankedPackage } from '../requirements/parse-yanked.ts';

/** A locked version that its authors have withdrawn. */
export interface WithdrawnPackage extends YankedPackage {
  /** The index has no file of the version any more, so a new machine cannot install it. */
  readonly isGone: boolean;
}

const LIMIT_SECONDS = 60;
/** Deleted versions that are named. Each needs another run of uv, which names only one. */
const MAX_GONE = 5;

/** Queries the package index for the pins of a virtualenv, one page for each package. Undefined: the index does not answer. */
export async function queryWithdrawn(
  { python, platform, packages }: LockedVirtualenv,
  options: PythonOptions,
): Promise<readonly WithdrawnPackage[] | undefined> {
  const interpreter = (await listPythons(python)).at(-1) ?? (await listPythons()).at(-1);
  if (!interpreter) return undefined;
  const folder = makeTemporaryFolder('withdrawn');
  const input = join(folder, 'in.txt');
  const target = ['--python', interpreter.executable, '--python-version', python, '--python-platform', platform];
  const plain = ['--no-deps', '--no-header', '--no-annotate', '--color', 'never', ...WHEELS_ONLY];
  const gone: WithdrawnPackage[] = [];
  try {
    while (gone.length <= MAX_GONE) {
      const asked = packages.filter((p) => p.source === undefined && !gone.some((g) => g.name === p.name));
      await writeFile(input, asked.map((p) => `${p.name}==${p.version}\n`).join(''));
      const run = await runUv(['pip', 'compile', ...plain, ...target, input], {
        ...options,
        limitSeconds: LIMIT_SECONDS,
      });
      const { notes, rest } = separateNotes(run.stderr);
      if (run.code === 0) return sortByName([...parseYanked(notes).map((p) => ({ ...p, isGone: false })), ...gone]);
      const missing = findMissing(rest);
      if (!missing || !asked.some((p) => p.name === missing.name)) return undefined;
      gone.push({ ...missing, reason: undefined, isGone: true });
    }
    return sortByName(gone);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** uv's warnings have no order. */
function sortByName(found: readonly WithdrawnPackage[]): readonly WithdrawnPackage[] {
  return [...found].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `Because there is no version of numpy==2.4.0 and you require …` */
function findMissing(stderr: string): Pick<YankedPackage, 'name' | 'version'> | undefined {
  const found = /there is no version of ([A-Za-z0-9._-]+)==([^\s,]+)/.exec(stderr.replace(/\s+/g, ' '));
  const [, name, version] = found ?? [];
  return name === undefined || version === undefined ? undefined : { name: normalizePackageName(name), version };
}
