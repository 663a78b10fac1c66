import { constants } from 'node:fs';
import { cp, mkdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { PythonOptions } from '../python/find-uv.ts';
import type { Lock } from '../schemas/lock/lock.ts';
import { makeFolderAtomically, writeFileAtomically } from '../system/atomic-files.ts';
import { refuseTrackedDavitFiles } from '../system/davit-folder.ts';
import { withFileLock } from '../system/locks/file-lock.ts';
import { digestModel, isModelFile } from '../system/model-digest.ts';
import { SILENT, withProgress } from '../system/progress.ts';
import { installPackageTree } from './install-package-tree.ts';
import { makeLabels } from './make-labels.ts';
import { makeSbom, renderSbom } from './make-sbom.ts';
import { IMAGE_PATHS, SERVER_SOURCES, SETTLE_SCRIPT } from './image-paths.ts';
import type { ImagePlan } from './plan-image.ts';
import { readProvenance } from './read-provenance.ts';
import { removeOldContexts } from './remove-old-contexts.ts';
import { renderDockerfile } from './render-dockerfile.ts';
import { setModesAndTimes } from './set-modes-and-times.ts';

export interface BuildContextRequest extends PythonOptions {
  /** The project folder. */
  readonly root: string;
  /** The lock and the entity that the plan was made from. */
  readonly lock: Lock;
  readonly entity: string;
  /** Folder of the model's files on this machine. */
  readonly modelFolder: string;
  /** False in a preview: write only the Dockerfile, because the rest takes time. */
  readonly full: boolean;
}

/** Beside the Dockerfile, which does not copy it into the image. */
const SBOM_FILE = 'sbom.cdx.json';

/**
 * Makes the build context of an image, `plan.context`. Installs every package and checks every file, so that the build
 * needs no secrets, and no network but for Debian packages. Makes the folder atomically, and reuses a complete one.
 */
export async function makeBuildContext(plan: ImagePlan, request: BuildContextRequest): Promise<void> {
  const { root, full, progress = SILENT, signal } = request;
  await refuseTrackedDavitFiles(root); // a complete context is reused
  const folder = join(root, plan.context);
  const dockerfile = renderDockerfile({ ...plan.stack, labels: await readLabels(plan, request) });
  await withFileLock(
    `${folder}.lock`,
    async () => {
      if (!full || (await isContextComplete(folder))) {
        await writeFileAtomically(join(folder, 'Dockerfile'), dockerfile);
        return;
      }
      await removeOldContexts(root);
      await withProgress(progress, `Preparing the image ${plan.tag} (${plan.stack.packages.length} packages)`, () =>
        makeFolderAtomically(folder, async (fresh) => {
          await fillContext(fresh, plan, request);
          await setModesAndTimes(fresh);
          await writeFile(join(fresh, 'Dockerfile'), dockerfile);
        }),
      );
    },
    { what: 'preparing the same image', progress, signal },
  );
}

async function readLabels(plan: ImagePlan, { root, lock }: BuildContextRequest): Promise<Record<string, string>> {
  return makeLabels({ plan, lock, provenance: await readProvenance(root) });
}

/** A context is complete when it contains the model, because the model is copied last. */
async function isContextComplete(folder: string): Promise<boolean> {
  return stat(makeContextPath(folder, IMAGE_PATHS.model)).then(
    () => true,
    () => false,
  );
}

async function fillContext(fresh: string, plan: ImagePlan, request: BuildContextRequest): Promise<void> {
  await copyServer(fresh, plan, request);
  request.signal?.throwIfAborted();
  const { python, packagePlatform: platform, packages } = plan.stack;
  const { modelFolder } = request;
  await requireModel(request, plan);
  const inImage = IMAGE_PATHS.virtualenv;
  const folder = makeContextPath(fresh, inImage);
  await installPackageTree({ folder, inImage, python, platform, packages, modelFolder }, request);
  request.signal?.throwIfAborted();
  const { lock, entity } = request;
  const { base, systemPackages = [] } = plan.stack;
  await writeFile(join(fresh, SBOM_FILE), renderSbom(await makeSbom({ lock, entity, base, systemPackages })));
  await copyModel(fresh, plan, request);
}

/** Installs the front for the image's Python. The model's Python finds davit_server through PYTHONPATH. */
async function copyServer(fresh: string, { stack }: ImagePlan, options: PythonOptions): Promise<void> {
  const { python, packagePlatform: platform, frontPackages: packages } = stack;
  const inImage = IMAGE_PATHS.frontVirtualenv;
  const folder = makeContextPath(fresh, inImage);
  await installPackageTree({ folder, inImage, python, platform, packages }, options);
  await writeFile(join(folder, 'lib', `python${python}`, 'site-packages', 'davit.pth'), `${IMAGE_PATHS.runtime}\n`);
  await cp(SERVER_SOURCES, join(makeContextPath(fresh, IMAGE_PATHS.runtime), basename(SERVER_SOURCES)), {
    recursive: true,
    filter: (source) => isModelFile(basename(source)),
  });
  await cp(SETTLE_SCRIPT, join(fresh, 'settle.py'));
}

async function requireModel({ modelFolder, lock }: BuildContextRequest, { model }: ImagePlan): Promise<void> {
  if (await stat(join(modelFolder, 'MLmodel')).catch(() => undefined)) return;
  throw new Error(
    `Cannot find the files of ${model.name} version ${model.version}: there is no MLmodel in ${modelFolder}, expected the locked model (npx davit validate ${lock.endpoint} downloads it)`,
  );
}

/** Checks the digest of the copy, so that nothing can change the files between the check and the build. */
async function copyModel(
  fresh: string,
  { model }: ImagePlan,
  { modelFolder, lock }: BuildContextRequest,
): Promise<void> {
  const copy = makeContextPath(fresh, IMAGE_PATHS.model);
  await mkdir(join(copy, '..'), { recursive: true });
  await cp(modelFolder, copy, {
    recursive: true,
    dereference: true,
    mode: constants.COPYFILE_FICLONE,
    filter: (source) => source === modelFolder || isModelFile(basename(source)),
  });
  const digest = await digestModel(copy);
  if (digest === model.digest) return;
  throw new Error(
    `Cannot put ${model.name} version ${model.version} into an image: its files have the digest ${digest.slice(0, 19)}…, the lock says ${model.digest.slice(0, 19)}…; they changed after the lock was made. Make the lock again: npx davit lock ${lock.endpoint}`,
  );
}

/** `/model` → `CONTEXT/model/model`, because a layer's folder contains its files by their full path in the image. */
function makeContextPath(context: string, inImage: string): string {
  const [, layer = ''] = inImage.split('/');
  return join(context, layer, inImage);
}
