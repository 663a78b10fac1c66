import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { requireStateInput } from '../../../action/deploy/require-state-input.ts';

it('takes the address of the state from the workflow, never from what was merged', async () => {
  const root = await mkdtemp(join(tmpdir(), 'davit-state-'));
  onTestFinished(() => rm(root, { recursive: true }));
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('PULUMI_BACKEND_URL', '');
  const write = (url: string) => writeFile(join(root, 'Pulumi.yaml'), `name: davit\nbackend: { url: "${url}" }\n`);
  await requireStateInput(root);
  await write('file://.davit/pulumi?metadata=skip');
  await requireStateInput(root);
  for (const url of ['https://mallory.example', 'file://./states', 'file://.davit/../states']) {
    await write(url);
    await expect(requireStateInput(root)).rejects.toThrow(`Cannot use the state at ${url}: only Pulumi.yaml names it`);
  }
  vi.stubEnv('PULUMI_BACKEND_URL', 's3://acme-davit-state');
  await requireStateInput(root);
});
