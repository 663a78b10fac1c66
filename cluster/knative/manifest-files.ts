import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { PinnedFile } from '../../schemas/environment/kubernetes-environment.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import type { KnativeManifests } from './knative-manifests.ts';
import { NODE_FOLDER } from '../kubernetes-node/node-layout.ts';

const FOLDER = join(NODE_FOLDER, 'knative');
const FILES = ['types.yaml', 'objects.yaml'].map((name) => join(FOLDER, name));

/** Writes Knative's manifests for this node to files that an environment file can name. */
export async function writeManifestFiles({ types, objects }: KnativeManifests): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const texts = [types, objects.map((o) => stringify(o)).join('---\n')];
  await Promise.all(FILES.map((file, i) => writeFileAtomically(file, texts[i] ?? '')));
}

/** The files with their checksums, in the order of application. Empty if the node has no such files. */
export async function readManifestFiles(): Promise<readonly PinnedFile[]> {
  const texts = await Promise.all(FILES.map((file) => readFile(file, 'utf8').catch(() => undefined)));
  return FILES.flatMap((source, i) => {
    const text = texts[i];
    return text === undefined ? [] : [{ source, sha256: createHash('sha256').update(text).digest('hex') }];
  });
}
