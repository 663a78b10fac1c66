import { createHash } from 'node:crypto';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { runProcess } from '../system/run-process.ts';

const DEFAULT_INDEX = 'https://pypi.org/simple';
/** Parts of the file name of each platform's wheel. */
const PLATFORMS: Readonly<Partial<Record<string, readonly string[]>>> = {
  'linux-x64': ['manylinux', 'x86_64'],
  'linux-arm64': ['manylinux', 'aarch64'],
  'darwin-x64': ['macosx', 'x86_64'],
  'darwin-arm64': ['macosx', 'arm64'],
};
const LIMIT_SECONDS = 120;

const page = z.object({ files: z.array(z.object({ filename: z.string(), url: z.string() })) });

/**
 * Downloads uv into `folder`/bin when no Python has pip, as on a plain Debian. Takes this platform's wheel from the
 * package index that pip is configured for, else from PyPI (JSON pages, PEP 691). Checks it against `hashes`, and
 * unpacks it with Python's zipfile.
 */
export async function downloadUv(
  folder: string,
  {
    version,
    hashes,
    python,
    signal,
  }: {
    readonly version: string;
    /** Hex SHA-256 of the allowed wheels. */
    readonly hashes: readonly string[];
    /** Any Python 3. */
    readonly python: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  if (process.env['PIP_NO_INDEX']) throw new Error('PIP_NO_INDEX forbids access to a package index');
  const index = (process.env['PIP_INDEX_URL'] || DEFAULT_INDEX).replace(/(?<!\/)\/+$/, '');
  const limit = AbortSignal.timeout(LIMIT_SECONDS * 1000);
  const within = signal ? AbortSignal.any([limit, signal]) : limit;
  const address = `${index}/uv/`;
  const listed = await get(address, within, { accept: 'application/vnd.pypi.simple.v1+json' });
  const { files } = page.parse(await listed.json());
  const platform = PLATFORMS[`${process.platform}-${process.arch}`];
  const wheel = files.find(
    (f) => f.filename.startsWith(`uv-${version}-`) && platform?.every((part) => f.filename.includes(part)),
  );
  if (!wheel)
    throw new Error(`the package index has no wheel of uv ${version} for ${process.platform}-${process.arch}`);
  const bytes = Buffer.from(await (await get(new URL(wheel.url, address).href, within)).arrayBuffer());
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (!hashes.includes(hash))
    throw new Error(`${wheel.filename} has the SHA-256 ${hash}, expected one of the pinned hashes`);
  await unpackWheel(bytes, folder, { python, program: join(`uv-${version}.data`, 'scripts', 'uv'), signal });
}

/** Errors never repeat the address, because it can contain a password. */
async function get(address: string, signal: AbortSignal, headers: Readonly<Record<string, string>> = {}) {
  const { username, password } = new URL(address);
  const clean = new URL(address);
  clean.username = clean.password = '';
  const login =
    username === ''
      ? {}
      : { authorization: `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}` };
  const response = await fetch(clean, { headers: { ...headers, ...login }, signal }).catch((e: unknown) => {
    throw new Error(`the package index at ${clean.host} does not respond`, { cause: e });
  });
  if (!response.ok) throw new Error(`the package index at ${clean.host} answered ${response.status}`);
  return response;
}

async function unpackWheel(
  bytes: Buffer,
  folder: string,
  {
    python,
    program,
    signal,
  }: { readonly python: string; readonly program: string; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const [wheel, unpacked] = [join(folder, 'uv.whl'), join(folder, 'unpacked')];
  await writeFile(wheel, bytes);
  const run = await runProcess(python, ['-I', '-m', 'zipfile', '-e', wheel, unpacked], {
    signal: signal ?? AbortSignal.timeout(LIMIT_SECONDS * 1000),
  });
  if (run.code !== 0) throw new Error(`the wheel cannot be unpacked: ${run.stderr.trim().split('\n').at(-1) ?? ''}`);
  await mkdir(join(folder, 'bin'), { recursive: true });
  await rename(join(unpacked, program), join(folder, 'bin', 'uv'));
  await chmod(join(folder, 'bin', 'uv'), 0o755);
  await Promise.all([wheel, unpacked].map((path) => rm(path, { recursive: true, force: true })));
}
