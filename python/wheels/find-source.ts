import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import type { PythonOptions } from '../find-uv.ts';
import { WHEELS_ONLY } from '../install-packages.ts';
import { runUv } from '../run-uv.ts';
import { VirtualenvError } from '../virtualenv-error.ts';
import { findIndexLogin } from './index-login.ts';

/** A source distribution of the index that this machine uses. */
export interface SourceDistribution {
  readonly url: string;
  /** `sha256:…`, as the index says. */
  readonly hash: string;
}

export interface WantedSource {
  readonly name: string;
  readonly version: string;
  /** A Python to start uv with, and the minor version that the package is for. */
  readonly interpreter: string;
  readonly python: string;
  /** In uv's notation: `x86_64-manylinux_2_28`. */
  readonly platform: string;
}

const LIMIT_SECONDS = 120;
const MAX_REASON = 400;
const MAX_BYTES = 512 << 20;

/** uv's arguments to choose source distributions of these packages, and of no others. */
export function allowSources(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => ['--no-binary', name]);
}

/** Settings without which uv would build a source distribution to read its requirements, outside the sandbox. */
export function renderEmptyMetadata(names: readonly string[]): string {
  return names
    .map((name) => `[[dependency-metadata]]\nname = ${JSON.stringify(name)}\nrequires-dist = []\n`)
    .join('\n');
}

/** Finds the source distribution of a version. uv runs nothing of it. Throws a VirtualenvError if there is none. */
export async function findSource(wanted: WantedSource, options: PythonOptions): Promise<SourceDistribution> {
  const { name, version, interpreter, python, platform } = wanted;
  const folder = makeTemporaryFolder('source');
  try {
    const input = join(folder, 'in.txt');
    await writeFile(input, `${name}==${version}\n`);
    const compile = ['pip', 'compile', '--no-header', '--no-deps', '--color', 'never', '--format', 'pylock.toml'];
    const target = ['--python', interpreter, '--python-version', python, '--python-platform', platform];
    const run = await runUv([...compile, ...WHEELS_ONLY, ...allowSources([name]), ...target, input], {
      ...options,
      limitSeconds: LIMIT_SECONDS,
      settings: { folder: join(folder, 'settings'), text: renderEmptyMetadata([name]) },
    });
    const found = run.code === 0 ? parseSource(run.stdout) : undefined;
    if (found) return found;
    throw new VirtualenvError(
      'install-failed',
      `Cannot find the source distribution of ${name} ${version}: ${summarize(run.stderr)}`,
      {
        hint: 'If the network or the index failed, run the same command again',
        cause: run.stderr,
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reads the first source distribution of a pylock.toml that uv has written. */
export function parseSource(text: string): SourceDistribution | undefined {
  const line = text.split('\n').find((l) => l.startsWith('sdist = {'));
  const url = /\burl = "([^"]+)"/.exec(line ?? '')?.[1];
  const hash = /\bsha256 = "([0-9a-f]{64})"/.exec(line ?? '')?.[1];
  return url === undefined || hash === undefined ? undefined : { url, hash: `sha256:${hash}` };
}

/** Downloads a source distribution into a folder and checks its hash. Returns its path. Throws a VirtualenvError. */
export async function downloadSource(
  { url, hash }: SourceDistribution,
  { folder, signal }: { readonly folder: string } & Pick<PythonOptions, 'signal'>,
): Promise<string> {
  const file = join(folder, basename(decodeURIComponent(new URL(url).pathname)));
  const bytes = url.startsWith('file:') ? await readFile(fileURLToPath(url)) : await download(url, signal);
  const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (found !== hash)
    throw new VirtualenvError('install-failed', `Cannot use ${basename(file)}: it is not the file of its hash`, {
      hint: 'The index has another file than it says. Find out why, then run the same command again',
    });
  await writeFile(file, bytes);
  return file;
}

/** What uv says, in one line without addresses, because an address can contain a password. */
function summarize(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !/^\s*hint:/.test(line) && !line.includes('://'));
  const text = lines.map((line) => line.replace(/^\s*(?:error|cause):\s*/, '').trim());
  return (
    text
      .filter(Boolean)
      .join(' ')
      .slice(0, MAX_REASON)
      .replace(/\.\s*$/, '') || 'uv names none in the index'
  );
}

/** The code of a failed request, such as ECONNREFUSED. */
function findReason(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : error instanceof Error ? error.name : 'no reason';
}

/** Errors never repeat the address, because it can contain a password. */
async function download(url: string, signal: AbortSignal | undefined): Promise<Buffer> {
  const { host, pathname } = new URL(url);
  const what = `Cannot download ${basename(pathname)} from ${host}`;
  const limit = AbortSignal.timeout(LIMIT_SECONDS * 1000);
  const { address, headers } = await findIndexLogin(url, process.env);
  const response = await fetch(address, { headers, signal: signal ? AbortSignal.any([limit, signal]) : limit }).catch(
    (e: unknown) => {
      signal?.throwIfAborted();
      throw new VirtualenvError('install-failed', `${what}: it does not respond (${findReason(e)})`, {
        hint: 'Check the network and run the same command again',
        cause: e,
      });
    },
  );
  if (!response.ok || !response.body)
    throw new VirtualenvError('install-failed', `${what}: it answers ${response.status}`, {
      hint: 'Check UV_INDEX and its credentials, or those of ~/.netrc',
    });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    parts.push(part);
    bytes += part.length;
    if (bytes > MAX_BYTES)
      throw new VirtualenvError('install-failed', `${what}: it has more than ${MAX_BYTES >> 20} MiB`);
  }
  return Buffer.concat(parts);
}
