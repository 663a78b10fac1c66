import { constants, existsSync } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PULUMI_SOURCES } from '../../engine/install/pulumi-sources.ts';
import { listProgramsOnPath } from '../../python/find-uv.ts';
import { listPythons } from '../../python/find-python.ts';
import { isVersionAtLeast } from '../../schemas/values/versions.ts';
import { cacheFolder } from '../../system/cache.ts';
import { runProcess } from '../../system/run-process.ts';
import { SILENT } from '../../system/progress.ts';
import type { Check } from './check.ts';

const GIB = 2 ** 30;
const NEEDED_GIB = 5;
const NODE = '20.18.0';

/** What every use of Davit needs from a machine. */
export const MACHINE_CHECKS: readonly Check[] = [
  {
    name: 'Node',
    run: () => {
      const version = process.versions.node;
      if (isVersionAtLeast(version, NODE)) return { state: 'fine', found: version };
      return {
        state: 'missing',
        found: `${version}, expected ${NODE} or newer`,
        repair: 'https://nodejs.org/download',
      };
    },
  },
  { name: 'Git', run: () => checkProgram('git', ['--version'], 'apt-get install git') },
  { name: 'uv', run: checkUv },
  { name: 'Python', run: checkPythons },
  { name: 'disk', run: checkDisk },
  { name: 'Pulumi', run: checkPulumi },
];

/** Runs `PROGRAM --version`, which changes nothing. */
async function checkProgram(program: string, args: readonly string[], repair: string) {
  const ran = await runProcess(program, args, { limitSeconds: 5 }).catch(() => undefined);
  const line = ran?.code === 0 ? ran.stdout.split('\n')[0]?.trim() : undefined;
  if (line !== undefined) return { state: 'fine', found: line } as const;
  return { state: 'missing', found: `${program} does not run here`, repair } as const;
}

async function checkUv() {
  const [first] = await listProgramsOnPath('uv');
  const ran = first === undefined ? undefined : await runProcess(first, ['--version'], { limitSeconds: 5 });
  if (ran?.code === 0) return { state: 'fine', found: `${ran.stdout.trim()} (${first ?? ''})` } as const;
  const found = existsSync(cacheFolder('uv')) ? 'in the cache' : 'not installed; Davit downloads it when it is needed';
  return { state: 'fine', found } as const;
}

async function checkPythons() {
  const versions = (await listPythons()).map((python) => python.version);
  if (versions.length > 0) return { state: 'fine', found: versions.join(', ') } as const;
  const found = 'none installed; uv downloads the version that a model needs';
  return { state: 'warning', found, repair: 'uv python install 3.11' } as const;
}

async function checkDisk() {
  let folder = cacheFolder();
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / GIB;
  const isWritable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable)
    return {
      state: 'missing',
      found: `${cacheFolder()} is for the cache, and you cannot write to ${folder}`,
      repair: 'export DAVIT_CACHE=FOLDER',
    } as const;
  const found = `${free.toFixed(0)} GiB free for ${cacheFolder()}`;
  if (free >= NEEDED_GIB) return { state: 'fine', found } as const;
  return { state: 'warning', found, repair: 'npx davit cache --prune' } as const;
}

async function checkPulumi() {
  for (const source of PULUMI_SOURCES) {
    const engine = await source.find(SILENT).catch(() => undefined);
    if (engine) return { state: 'fine', found: `${engine.version} (${engine.command})` } as const;
  }
  return {
    state: 'fine',
    found: 'not installed; Davit downloads or builds it at the first preview or deployment',
  } as const;
}
