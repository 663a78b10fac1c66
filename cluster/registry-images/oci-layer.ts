import { spawn } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { writeFileAtomically } from '../../system/atomic-files.ts';

/** A packed layer of an image, `FOLDER/layer.tar.gz`, with its digests. */
export interface Layer {
  readonly file: string;
  /** `sha256:<hex>` of the packed bytes. */
  readonly digest: string;
  /** `sha256:<hex>` of the bytes before packing. */
  readonly diffId: string;
  readonly bytes: number;
}

/** Makes equal files give equal bytes: no times, no owner names, sorted. */
const TAR = ['--sort=name', '--mtime=@0', '--numeric-owner', '--format=gnu', '--create', '--directory'];

/** Packs all files below `root` as a layer into `folder`; `owner: 'root'` gives them all to root. */
export async function packLayer(
  root: string,
  folder: string,
  { owner }: { readonly owner?: 'root' } = {},
): Promise<void> {
  const mine = owner === 'root' ? ['--owner=0', '--group=0'] : [];
  const tar = spawn('tar', [...mine, ...TAR, root, '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number>((done, fail) => {
    tar.on('error', fail);
    tar.on('close', (code) => done(code ?? 1));
  });
  const [plain, packed] = [createHash('sha256'), createHash('sha256')];
  const fresh = join(folder, 'layer.tar.gz.new');
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  await pipeline(tar.stdout, through(plain), gzip, through(packed), createWriteStream(fresh));
  if ((await ended) !== 0) throw new Error(`Cannot pack ${root}: tar ended with ${await ended}`);
  await rename(fresh, join(folder, 'layer.tar.gz'));
  const text = JSON.stringify({ digest: sha256(packed), diffId: sha256(plain) });
  await writeFileAtomically(join(folder, 'layer.json'), text);
}

/** The layer that `packLayer` made in a folder. */
export async function readLayer(folder: string): Promise<Layer> {
  const file = join(folder, 'layer.tar.gz');
  const known = JSON.parse(await readFile(join(folder, 'layer.json'), 'utf8')) as Pick<Layer, 'digest' | 'diffId'>;
  const { size } = await stat(file);
  return { file, bytes: size, ...known };
}

function through(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

function sha256(hash: Hash): string {
  return `sha256:${hash.digest('hex')}`;
}
