import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { chooseMinorVersion, findPython } from '../../python/find-python.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { codePath } from '../../system/code.ts';
import { withFileLock } from '../../system/locks/file-lock.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import { runProcess } from '../../system/run-process.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { type Advisory, advisory } from './advisory.ts';
import { parseJson } from '../../schemas/values/parse-json.ts';

/** Advisories by package, in a file of the cache. */
export interface AdvisoryDatabase {
  /** When the file was made, as `2026-11-29`. */
  readonly date: string;
  readonly ageHours: number;
  readonly find: (name: string) => readonly Advisory[];
}

const EXPORT_URL = 'https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip';
const PROGRAM = codePath('validation', 'advisories', 'index_advisories.py');
const DOWNLOAD_LIMIT_SECONDS = 300;
const INDEX_LIMIT_SECONDS = 300;
const EXPORT_BYTES = 2 ** 30;
const PYTHONS = ['3.12', '3.11', '3.13', '3.10'];
const indexed = z.object({ advisories: z.number(), unreadable: z.number() });

const databaseFile = () => cacheFolder('advisories', 'pypi.tsv');

/** Opens the database in the cache. Undefined: there is none. */
export async function openAdvisories(): Promise<AdvisoryDatabase | undefined> {
  const [text, stats] = await Promise.all([
    readFile(databaseFile(), 'utf8').catch(() => undefined),
    stat(databaseFile()).catch(() => undefined),
  ]);
  if (text === undefined || !stats) return undefined;
  const lines = new Map<string, string>();
  for (const line of text.split('\n')) {
    const tab = line.indexOf('\t');
    if (tab > 0) lines.set(line.slice(0, tab), line.slice(tab + 1));
  }
  return {
    date: stats.mtime.toISOString().slice(0, 10),
    ageHours: (Date.now() - stats.mtimeMs) / 3_600_000,
    find: (name) => {
      const line = lines.get(name);
      return line === undefined ? [] : z.array(advisory).parse(JSON.parse(line));
    },
  };
}

/**
 * Replaces the database: by an export of OSV in a file, for machines without internet, or by the newest one of osv.dev.
 * Throws if there is no export, and leaves the old database as it is.
 */
export async function refreshAdvisories(file: string | undefined, options: PythonOptions): Promise<void> {
  const { progress = SILENT, signal } = options;
  await mkdir(cacheFolder('advisories'), { recursive: true });
  await withFileLock(
    `${databaseFile()}.lock`,
    () =>
      withProgress(progress, file === undefined ? 'Downloading advisories of osv.dev' : `Reading ${file}`, async () => {
        const folder = makeTemporaryFolder('advisories');
        try {
          const source = file ?? (await downloadExport(join(folder, 'all.zip'), signal));
          await writeFileAtomically(databaseFile(), await indexExport(source, join(folder, 'pypi.tsv'), options));
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      }),
    { what: 'refreshing the advisories', progress, signal },
  );
}

async function downloadExport(file: string, signal: AbortSignal | undefined): Promise<string> {
  const limit = AbortSignal.timeout(DOWNLOAD_LIMIT_SECONDS * 1000);
  const cannot = `Cannot download the advisories from ${new URL(EXPORT_URL).host}`;
  const response = await fetch(EXPORT_URL, { signal: signal ? AbortSignal.any([limit, signal]) : limit }).catch(
    (cause: unknown) => {
      throw new Error(`${cannot}: it does not respond. Without internet: npx davit audit --database FILE`, { cause });
    },
  );
  if (!response.ok) throw new Error(`${cannot}: it answered ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (bytes.length > EXPORT_BYTES) throw new Error(`${cannot}: the export has ${bytes.length} bytes`);
  await writeFile(file, bytes);
  return file;
}

async function indexExport(source: string, out: string, options: PythonOptions): Promise<string> {
  const python = await findPython(await chooseMinorVersion(PYTHONS), options);
  if (!python) throw new Error('Cannot read the advisories: no Python 3 is installed');
  const run = await runProcess(python.executable, ['-I', '-B', PROGRAM, source, out], {
    env: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' },
    limitSeconds: INDEX_LIMIT_SECONDS,
    ...(options.signal && { signal: options.signal }),
  });
  const counts = run.code === 0 ? parseJson(run.stdout, indexed) : undefined;
  if (!counts || counts.advisories === 0)
    throw new Error(`Cannot read the advisories in ${source}: it is not an export of the OSV database (PyPI/all.zip)`);
  if (counts.unreadable > 0)
    options.progress?.say(`Ignored ${counts.unreadable} advisories that cannot be read, of ${counts.advisories}`);
  return readFile(out, 'utf8');
}
