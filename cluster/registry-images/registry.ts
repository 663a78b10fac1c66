import { once } from 'node:events';
import { openAsBlob } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import type { Component } from '../kubernetes-node/node-process.ts';
import { digest, type Image, MANIFEST_MEDIA_TYPE } from './oci-image.ts';
import { LOGS_FOLDER, NODE_FOLDER, REGISTRY } from '../kubernetes-node/node-layout.ts';

const API = `http://${REGISTRY}/v2`;
const ADDRESS = REGISTRY.replace('localhost', '127.0.0.1');
const LIMIT_SECONDS = 30;
const POLL_MILLISECONDS = 100;

/**
 * Makes two registries on one folder: one on the machine's loopback for pushes, and one on the node's loopback for
 * pulls. An image then has the same name in both places, and no loopback port is opened to a network.
 */
export async function makeRegistryComponents(program: string): Promise<readonly Component[]> {
  const folder = join(NODE_FOLDER, 'registry');
  await mkdir(folder, { recursive: true });
  const config = join(NODE_FOLDER, 'registry.json'); // JSON is YAML
  await writeFileAtomically(
    config,
    JSON.stringify({
      version: '0.1',
      log: { level: 'warn', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: folder }, delete: { enabled: true } },
      http: { addr: ADDRESS },
    }),
  );
  const command = [program, 'serve', config];
  return [
    { name: 'registry', command },
    { name: 'registry-on-machine', command, onMachine: true },
  ];
}

/** Throws when another program listens on the registry's port, because images would be pushed to that program. */
export async function requireFreeRegistryPort(): Promise<void> {
  const [host, port] = ADDRESS.split(':');
  const socket = connect({ host, port: Number(port) });
  const taken = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  if (taken)
    throw new Error(`Cannot start the registry: another program listens on ${ADDRESS}, expected the port to be free`);
}

/** Waits until the registry answers on the machine. */
export async function waitForRegistry(signal: AbortSignal | undefined): Promise<void> {
  const until = performance.now() + LIMIT_SECONDS * 1000;
  while (!(await fetch(`${API}/`).catch(() => undefined))?.ok) {
    signal?.throwIfAborted();
    if (performance.now() > until)
      throw new Error(
        `Cannot reach the registry ${REGISTRY} within ${LIMIT_SECONDS} s: see the logs in ${LOGS_FOLDER}`,
      );
    await sleep(POLL_MILLISECONDS);
  }
}

/** Pushes an image to the registry; existing layers are not sent again. */
export async function pushImage(image: Image): Promise<void> {
  for (const layer of image.layers) await pushBlob(image, layer.digest, () => openAsBlob(layer.file));
  await pushBlob(image, digest(image.config), () => Promise.resolve(new Blob([image.config])));
  const url = `${API}/${image.name}/manifests/${image.digest}`;
  const headers = { 'content-type': MANIFEST_MEDIA_TYPE };
  await requireSuccess(image, await fetch(url, { method: 'PUT', headers, body: image.manifest }));
}

async function pushBlob(image: Image, blob: string, open: () => Promise<Blob>): Promise<void> {
  const there = await fetch(`${API}/${image.name}/blobs/${blob}`, { method: 'HEAD' });
  if (there.ok) return;
  const begun = await fetch(`${API}/${image.name}/blobs/uploads/`, { method: 'POST' });
  await requireSuccess(image, begun);
  const url = new URL(begun.headers.get('location') ?? '', API);
  url.searchParams.set('digest', blob);
  const headers = { 'content-type': 'application/octet-stream' };
  await requireSuccess(image, await fetch(url, { method: 'PUT', headers, body: await open() }));
}

async function requireSuccess(image: Image, answer: Response): Promise<void> {
  const text = await answer.text();
  if (answer.ok) return;
  throw new Error(`Cannot push ${image.name} to ${REGISTRY}: it answered ${answer.status} ${text.slice(0, 200)}`);
}
