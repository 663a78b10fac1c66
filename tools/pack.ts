// Makes Davit's npm package: `npm run package -- [FOLDER] [--tag vVERSION]` writes FOLDER/davit-VERSION.tgz;
// default: .davit/package. For a release, --tag must be the version of package.json, and CHANGELOG.md must have a section
// for it, which becomes FOLDER/notes.md.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { codePath, readVersion } from '../system/code.ts';
import { makePackage, packPackage } from './make-package.ts';

const { values, positionals } = parseArgs({ options: { tag: { type: 'string' } }, allowPositionals: true });
const out = resolve(positionals[0] ?? codePath('.davit', 'package'));
const files = codePath('.davit', 'package-files');
mkdirSync(out, { recursive: true });
if (values.tag !== undefined) writeFileSync(join(out, 'notes.md'), readNotes(values.tag));
await makePackage(files);
const packed = packPackage(files, out);
process.stdout.write(`${packed}: ${(statSync(packed).size / 1e6).toFixed(1)} MB\n`);

/** The section of CHANGELOG.md about the version of a tag. */
function readNotes(tag: string): string {
  const version = readVersion();
  if (tag !== `v${version}`)
    throw new Error(`Cannot release ${tag}: package.json has the version ${version}, expected the tag v${version}`);
  const sections = readFileSync(codePath('CHANGELOG.md'), 'utf8').split(/^(?=## )/m);
  const section = sections.find((text) => text.split('\n', 1)[0] === `## ${version}`);
  if (section === undefined) throw new Error(`Cannot release ${tag}: CHANGELOG.md has no section "## ${version}"`);
  return section.split('\n').slice(1).join('\n').trim();
}
