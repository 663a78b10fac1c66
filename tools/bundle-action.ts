import { readdir, readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { CODE_FOLDER } from '../system/code.ts';

/** Packages outside the bundle. A release of the action installs them, and loads them only where it uses them. */
const EXTERNAL_PACKAGES =
  /^(?:@pulumi\/(?!pulumi\/version\.js$)|@kubernetes\/|@grpc\/|@sigstore\/|google-protobuf(?:\/|$))/;

/**
 * Makes `action/dist/`: one file with all code that the action needs to start, and the licences of its content. The
 * same sources give the same bytes in every folder. Returns each file's text by its path relative to Davit's folder.
 */
export async function makeBundle(): Promise<ReadonlyMap<string, string>> {
  const bundle = await rolldown({
    cwd: CODE_FOLDER,
    input: 'action/index.ts',
    platform: 'node',
    external: (id) => EXTERNAL_PACKAGES.test(id),
  });
  try {
    const { output } = await bundle.generate({ format: 'esm', codeSplitting: false, comments: { jsdoc: false } });
    const [chunk, ...others] = output;
    const early = chunk.imports.filter((name) => !isBuiltin(name) && name !== chunk.fileName);
    if (others.length > 0 || early.length > 0)
      throw new Error(
        `Cannot bundle the action into one file: it has ${others.length} more files and imports "${early.join('", "')}" at its start, expected neither; import heavy packages where they are used`,
      );
    return new Map([
      ['action/dist/index.js', chunk.code],
      ['action/dist/licences.txt', await renderLicences(chunk.moduleIds)],
    ]);
  } finally {
    await bundle.close();
  }
}

async function renderLicences(modules: readonly string[]): Promise<string> {
  const folders = new Set(modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []));
  const licences = await Promise.all([...folders].map(renderLicence));
  return licences.sort().join('\n---\n\n');
}

async function renderLicence(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined && license === undefined) throw new Error(`Cannot bundle ${name}: it has no licence`);
  const text = file === undefined ? 'Without a file of its own.' : await readFile(join(folder, file), 'utf8');
  return `${name} ${version} (${license ?? 'see below'})\n\n${text.trim()}\n`;
}
