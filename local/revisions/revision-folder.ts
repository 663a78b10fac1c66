import { constants } from 'node:fs';
import { chmod, cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { LockedVirtualenv } from '../../schemas/lock/lock.ts';
import type { Revision } from '../../schemas/deployment/revision.ts';
import { makeFolderAtomically } from '../../system/atomic-files.ts';
import { digestModel, isModelFile } from '../../system/model-digest.ts';
import type { PutRevisionRequest } from '../control/control-protocol.ts';
import { ServerFailed } from './model-server-errors.ts';

/** Everything that is needed to restart a revision. All other files are reproducible. */
export interface RevisionFolder {
  readonly folder: string;
  /** Copy of the model's files. */
  readonly model: string;
  /** Working directory of the model servers. Each worker has its own. */
  readonly work: string;
  readonly revision: Revision;
  readonly virtualenv: LockedVirtualenv;
}

/** Only this user can access the folder, because environment variables can contain secrets. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const REVISION = 'revision.json';

/** Makes the folder with a copy of the model. Throws a ServerFailed if the model differs from the locked one. */
export async function makeRevisionFolder(folder: string, put: PutRevisionRequest): Promise<RevisionFolder> {
  const { revision, virtualenv, modelDirectory } = put;
  await requireDirectory(modelDirectory, revision);
  await makeFolderAtomically(folder, async (fresh) => {
    await chmod(fresh, FOLDER_MODE);
    // No hard links, because a user who edits the model must not change the served files. Reflinks cost nothing.
    await cp(modelDirectory, join(fresh, 'model'), {
      recursive: true,
      dereference: true,
      mode: constants.COPYFILE_FICLONE,
      filter: (source) => source === modelDirectory || isModelFile(basename(source)),
    });
    await checkDigest(join(fresh, 'model'), revision);
    await mkdir(join(fresh, 'work'), { mode: FOLDER_MODE });
    await writeFile(join(fresh, REVISION), JSON.stringify({ revision, virtualenv }, undefined, 2), { mode: FILE_MODE });
  });
  return makeFolderHandle(folder, revision, virtualenv);
}

/** Reads a revision folder. Returns undefined if the folder is absent or incomplete. */
export async function readRevisionFolder(folder: string): Promise<RevisionFolder | undefined> {
  try {
    const text = await readFile(join(folder, REVISION), 'utf8');
    const { revision, virtualenv } = JSON.parse(text) as Pick<RevisionFolder, 'revision' | 'virtualenv'>;
    return makeFolderHandle(folder, revision, virtualenv);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`Cannot read ${join(folder, REVISION)}: ${(e as Error).message}`, { cause: e });
  }
}

export async function removeRevisionFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

function makeFolderHandle(folder: string, revision: Revision, virtualenv: LockedVirtualenv): RevisionFolder {
  return { folder, model: join(folder, 'model'), work: join(folder, 'work'), revision, virtualenv };
}

async function requireDirectory(directory: string, { model }: Revision): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new ServerFailed(
    'model',
    `Cannot find ${model.name} version ${model.version}: there is no folder ${directory}, expected the model's files`,
  );
}

async function checkDigest(folder: string, { model, endpoint }: Revision): Promise<void> {
  const digest = await digestModel(folder);
  if (digest === model.digest) return;
  throw new ServerFailed(
    'model',
    `Cannot serve ${model.name} version ${model.version}: its files have the digest ${digest.slice(0, 19)}…, but the lock has ${model.digest.slice(0, 19)}…: they changed after the lock was made. Update the lock: npx davit lock ${endpoint}`,
  );
}
