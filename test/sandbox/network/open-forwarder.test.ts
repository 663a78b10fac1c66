import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openForwarder } from '../../../sandbox/network/open-forwarder.ts';

test('a forwarder that cannot listen for one service leaves no socket of another', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'davit-forwarder-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, '1'));
  await writeFile(join(folder, '1', 'x'), '');
  const services = ['a.example', 'b.example'].map((host) => ({ host, port: 443 }));
  await expect(openForwarder(services, folder)).rejects.toThrow('EADDRINUSE');
  expect(await readdir(folder)).toEqual(['1']);
});
