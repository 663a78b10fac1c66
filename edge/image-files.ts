import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { contentHash } from '../schemas/names.ts';
import { AUTHORISATION_PORTS } from './settings.ts';

/** What the image of the authorisation service is made of: texts by path in its build context. */
export type ImageFiles = Readonly<Record<string, string>>;

const ENTRY = 'edge/service.ts';
const ROOT = dirname(import.meta.dirname);
/** An import that is still there when types are gone. */
const IMPORT = /^(?:import|export)(?!\s+type\b)\s(?:[\w$*{},\s]+\sfrom\s)?['"]([^'"]+)['"]/gm;

/** Reads every source file that the service loads, from its imports. Throws when one of them is a package of npm. */
export function readSources(entry = ENTRY, root = ROOT): ImageFiles {
  const sources: Record<string, string> = {};
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (Object.hasOwn(sources, file)) continue;
    const text = readFileSync(join(root, file), 'utf8');
    sources[file] = text;
    for (const imported of importsOf(text)) waiting.push(...resolve(file, imported));
  }
  return Object.fromEntries(Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Makes the whole build context; `base` is an image with Node 24 as `node`. */
export function makeImageFiles(base: string): ImageFiles {
  return {
    ...readSources(),
    'package.json': '{"type": "module", "private": true}\n',
    Dockerfile: makeDockerfile(base),
  };
}

/** The tag of an image: its whole content. */
export function imageTag(files: ImageFiles): string {
  return contentHash(files).slice(0, 12);
}

function makeDockerfile(base: string): string {
  return [
    `FROM ${base}`,
    'WORKDIR /app',
    'COPY . /app/',
    'ENV NODE_ENV=production',
    'USER 65532:65532',
    `EXPOSE ${Object.values(AUTHORISATION_PORTS).join(' ')}`,
    `ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "${ENTRY}"]`,
    '',
  ].join('\n');
}

function importsOf(text: string): readonly string[] {
  return [...text.matchAll(IMPORT)].map(([, imported]) => imported ?? '');
}

function resolve(file: string, imported: string): readonly string[] {
  if (imported.startsWith('node:')) return [];
  if (imported.startsWith('.')) return [posix.join(posix.dirname(file), imported)];
  throw new Error(`Cannot put ${file} into the image: it imports "${imported}", expected only node: and files of ours`);
}
