import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { readPinnedFile } from '../../../infra/platform/knative/read-pinned-file.ts';

const TEXT = 'kind: Namespace\n';
const SHA256 = createHash('sha256').update(TEXT).digest('hex');
const OTHER = '0'.repeat(64);

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'davit-pinned-'));
  vi.stubEnv('DAVIT_CACHE', join(root, 'cache'));
  return async () => {
    vi.unstubAllEnvs();
    await rm(root, { recursive: true });
  };
});

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/knative.yaml`;
}

describe('readPinnedFile()', () => {
  it('reads a file of the project', async () => {
    await writeFile(join(root, 'knative.yaml'), TEXT);
    expect(await readPinnedFile({ source: 'knative.yaml', sha256: SHA256 }, root)).toEqual({
      source: 'knative.yaml',
      text: TEXT,
    });
  });

  it('refuses another content', async () => {
    await writeFile(join(root, 'knative.yaml'), TEXT);
    await expect(readPinnedFile({ source: 'knative.yaml', sha256: OTHER }, root)).rejects.toThrow(
      `Cannot use knative.yaml: its SHA-256 is ${SHA256}, expected ${OTHER}`,
    );
  });

  it('says that there is no such file', async () => {
    await expect(readPinnedFile({ source: 'none.yaml', sha256: OTHER }, root)).rejects.toThrow(
      'Cannot read none.yaml: ENOENT',
    );
  });

  it('downloads once', async () => {
    const asked = vi.fn<RequestListener>((_request, response) => void response.end(TEXT));
    const source = await serve(asked);
    for (let i = 0; i < 2; i++) expect((await readPinnedFile({ source, sha256: SHA256 }, root)).text).toBe(TEXT);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('neither uses nor keeps a download with another content, and downloads again what was damaged', async () => {
    const source = await serve((_request, response) => void response.end(TEXT));
    await expect(readPinnedFile({ source, sha256: OTHER }, root)).rejects.toThrow(`Cannot use ${source}`);
    await expect(readFile(join(root, 'cache', 'manifests', OTHER))).rejects.toThrow('ENOENT');
    await readPinnedFile({ source, sha256: SHA256 }, root);
    await writeFile(join(root, 'cache', 'manifests', SHA256), 'damaged');
    expect((await readPinnedFile({ source, sha256: SHA256 }, root)).text).toBe(TEXT);
  });

  it('says what the server answers', async () => {
    const source = await serve((_request, response) => void response.writeHead(404).end());
    await expect(readPinnedFile({ source, sha256: SHA256 }, root)).rejects.toThrow(
      `Cannot download ${source}: the server answers 404. Check the URL and the network`,
    );
  });
});
