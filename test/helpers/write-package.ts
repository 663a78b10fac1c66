import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';

/** Path in a package → text. */
type PackageFiles = Readonly<Record<string, string>>;

const WHEEL = `import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    for path, text in json.load(sys.stdin).items():
        wheel.writestr(zipfile.ZipInfo(path), text)`;
const SOURCE = `import io, json, sys, tarfile
with tarfile.open(sys.argv[1], "w:gz") as archive:
    for path, text in json.load(sys.stdin).items():
        entry = tarfile.TarInfo(path)
        entry.size = len(text.encode())
        archive.addfile(entry, io.BytesIO(text.encode()))`;

/** Writes the wheel `NAME-VERSION-py3-none-any.whl`. `metadata`: more lines of its METADATA. */
export function writeWheel(file: string, files: PackageFiles, metadata = ''): void {
  const [name = '', version = ''] = basename(file).split('-');
  const info = `${name}-${version}.dist-info`;
  const all = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${metadata}`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  };
  const record = [...Object.keys(all), `${info}/RECORD`].map((path) => `${path},,\n`).join('');
  writeArchive(WHEEL, file, { ...all, [`${info}/RECORD`]: record });
}

/** Writes the source distribution `NAME-VERSION.tar.gz`, with the files in its folder `NAME-VERSION`. */
export function writeSourceDistribution(file: string, files: PackageFiles): void {
  const folder = basename(file, '.tar.gz');
  const inside = Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text] as const);
  writeArchive(SOURCE, file, Object.fromEntries(inside));
}

function writeArchive(script: string, file: string, files: PackageFiles): void {
  execFileSync('python3', ['-c', script, file], { input: JSON.stringify(files) });
}
