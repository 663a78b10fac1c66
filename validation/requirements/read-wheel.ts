import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { normalizePackageName } from '../../python/normalize-package-name.ts';

/** What a wheel says about itself to a resolver. */
export interface WheelMetadata {
  readonly name: string;
  readonly requires: readonly string[];
  readonly extras: readonly string[];
  readonly python: string | undefined;
}

/** Why the metadata of a wheel cannot be used: the end of a sentence about the wheel. */
export interface UnusableWheel {
  readonly why: string;
  readonly hint?: string;
  /** `why` is a sentence of its own, not the end of one. */
  readonly isWhole?: true;
}

const MAX_BYTES = 4 << 20;
/** uv would fetch an address, clone a repository, and replace `${NAME}` by a variable of Davit's environment. */
const UNSAFE = /[@$\\\p{Cc}\p{Cf}]/u;

/** Reads the metadata of the only package in a folder, and removes the folder. */
export async function readInstalledWheel(folder: string): Promise<WheelMetadata | UnusableWheel> {
  try {
    const info = (await readdir(folder)).filter((name) => name.endsWith('.dist-info'));
    const file = join(folder, info[0] ?? '', 'METADATA');
    const { size } = await stat(file);
    if (info.length !== 1 || size > MAX_BYTES) return { why: 'the metadata cannot be read' };
    return parseMetadata(await readFile(file, 'utf8'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Parses a METADATA file, whose headers end at the first empty line. */
export function parseMetadata(text: string): WheelMetadata | UnusableWheel {
  const [head = ''] = text.replace(/\r\n?/g, '\n').split('\n\n');
  const lines = head.replace(/\n[ \t]+/g, ' ').split('\n');
  const read = (field: string) =>
    lines.flatMap((line) =>
      line.toLowerCase().startsWith(`${field}:`)
        ? [
            line
              .slice(field.length + 1)
              .trim()
              .replaceAll('\t', ' '),
          ]
        : [],
    );
  // Nobody gets an extra's address, because whoever requires the extra would get a package from the index instead.
  const isOfExtra = (r: string) => r.includes(';') && /\bextra\s*==/.test(r.slice(r.indexOf(';')));
  const requires = read('requires-dist').filter((r) => !(UNSAFE.test(r) && isOfExtra(r)));
  const unsafe = requires.find((r) => UNSAFE.test(r));
  if (unsafe !== undefined) {
    const [name = ''] = unsafe.split(/[^A-Za-z0-9._-]/);
    return {
      why: `${name || 'a package'} is required from an address`,
      hint: `Write that address into the model's requirements, and require ${name || 'the package'} by its name in the wheel`,
    };
  }
  const [extras, others] = [read('provides-extra'), [...read('requires-python'), ...read('name')]];
  if ([...extras, ...others].some((t) => UNSAFE.test(t))) return { why: 'the metadata cannot be read' };
  return {
    name: normalizePackageName(read('name')[0] ?? ''),
    requires,
    extras,
    python: read('requires-python')[0],
  };
}

/** Renders settings of uv that replace the metadata in wheels. */
export function renderMetadataSettings(wheels: readonly WheelMetadata[]): string {
  const list = (texts: readonly string[]) => `[${texts.map((t) => JSON.stringify(t)).join(', ')}]`;
  return wheels
    .map(({ name, requires, extras, python }) =>
      [
        '[[dependency-metadata]]',
        `name = ${JSON.stringify(name)}`,
        `requires-dist = ${list(requires)}`,
        `provides-extra = ${list(extras)}`,
        ...(python === undefined ? [] : [`requires-python = ${JSON.stringify(python)}`]),
        '',
      ].join('\n'),
    )
    .join('\n');
}
