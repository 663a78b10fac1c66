import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { runChecked } from '../../cluster/run-checked.ts';

/** A Debian package that only the mirror of this base image has. It brings one file. */
export const DEBIAN_PACKAGE = { name: 'libdavit-test1', file: '/usr/share/davit-test/said', text: 'from a package\n' };

/**
 * Writes the build context of a base image like Docker's own for Python: a whole Debian with apt, and Python below
 * /usr/local. Its only source of packages is a mirror inside of it, because the engine of the cluster has no network for builds.
 */
export async function writeDebianBase(
  folder: string,
  { debian, python }: { readonly debian: string; readonly python: string },
): Promise<void> {
  await writePackage(join(folder, 'mirror'));
  await writeFile(join(folder, 'sources.list'), 'deb [trusted=yes] file:/srv/mirror ./\n');
  const lines = [
    `FROM ${python} AS python`,
    `FROM ${debian}`,
    'USER root',
    'COPY --from=python /usr/lib/ /usr/lib/',
    'COPY --from=python /usr/bin/python3.11 /usr/local/bin/python3.11',
    'COPY mirror/ /srv/mirror/',
    'COPY sources.list /etc/apt/sources.list',
  ];
  await writeFile(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
}

/** Makes the package and the index of a mirror with it. */
async function writePackage(mirror: string): Promise<void> {
  const { name, file, text } = DEBIAN_PACKAGE;
  const control = [`Package: ${name}`, 'Version: 1.0', 'Architecture: all', 'Maintainer: Davit <test@davit.dev>', 'Description: test']; // prettier-ignore
  const source = `${mirror}-source`;
  await mkdir(join(source, 'DEBIAN'), { recursive: true });
  await mkdir(join(source, file, '..'), { recursive: true });
  await writeFile(join(source, 'DEBIAN', 'control'), `${control.join('\n')}\n`);
  await writeFile(join(source, file), text);
  await mkdir(mirror);
  const archive = join(mirror, `${name}.deb`);
  await runChecked('make a Debian package', ['dpkg-deb', '--root-owner-group', '--build', source, archive]);
  const sha256 = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  const where = [`Filename: ./${name}.deb`, `Size: ${(await stat(archive)).size}`, `SHA256: ${sha256}`];
  await writeFile(join(mirror, 'Packages'), `${[...control, ...where].join('\n')}\n`);
}
