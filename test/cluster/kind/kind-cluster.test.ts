import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { startKindCluster } from '../../../cluster/kind/kind-cluster.ts';
import { SILENT } from '../../../system/progress.ts';

afterEach(() => vi.unstubAllEnvs());

/** Starts a kind cluster with stand-ins for kind and Docker, and returns their calls that change something. */
async function start(docker: { readonly networks?: string }): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'davit-kind-'));
  const calls = join(folder, 'calls');
  const write = (name: string, answers: string) => {
    const lines = ['#!/bin/sh', `echo "${name} $*" >> ${calls}`, answers, 'cat > /dev/null', ''];
    writeFileSync(join(folder, name), lines.join('\n'), { mode: 0o755 });
  };
  write('kind', 'case "$*" in "get clusters") echo davit ;; "get nodes"*) echo node-a; echo node-b ;; esac');
  write('docker', `case "$1" in inspect) ${docker.networks ? `echo '${docker.networks}'` : 'exit 1'} ;; esac`);
  vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`);
  await startKindCluster({ progress: SILENT });
  return readFileSync(calls, 'utf8')
    .split('\n')
    .filter((call) => /^docker (?!inspect)/.test(call))
    .map((call) => call.split(' ').slice(1).join(' '));
}

const NODES = ['node-a', 'node-b'].flatMap((node) => [
  expect.stringMatching(`^exec ${node} mkdir -p /etc/containerd/certs.d/`) as string,
  expect.stringMatching(`^exec --interactive ${node} tee /etc/containerd/certs.d/.*/hosts.toml$`) as string,
]);

test.each([
  ['no registry', {}, [expect.stringMatching(/^run .*davit-registry/), 'network connect kind davit-registry']],
  [
    'a registry of an interrupted start',
    { networks: '{"bridge":{}}' },
    ['start davit-registry', 'network connect kind davit-registry'],
  ],
  ['a registry of a removed cluster', { networks: '{"bridge":{},"kind":{}}' }, ['start davit-registry']],
])('startKindCluster() sets up the nodes with %s', async (_, docker, first) => {
  expect(await start(docker)).toEqual([...first, ...NODES]);
});
