import { expect, inject, test } from 'vitest';
import { removeCluster, readClusterStatus } from '../../cluster/cluster.ts';
import { readTraces } from './machine-traces.ts';
import { openPlatform, requireSuccess, Rollouts } from './rollouts.ts';

const { cluster, traces } = inject('shared');
const options = { progress: { say: (line: string) => process.stderr.write(`${line}\n`) } };

test.runIf(cluster)('a platform cannot be removed while endpoints use it, and is then removed completely', async () => {
  const on = await Rollouts.open('removal');
  await on.declare({ variables: { VERSION: 'one' } });
  await on.up();
  const platform = await openPlatform();
  const refused = await platform.davit('down', '_platform');
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain(
    `Cannot take down the platform of "proof": removal runs on it, expected nothing to; npx davit down removal --environment proof comes first`,
  );
  expect(await on.answer()).toBe('one');
  await on.close();
  expect(
    await on.kubectl('get', 'route,configuration,revision,pdb,serviceaccount', '-n', on.models, '-o', 'name'),
  ).toBe('serviceaccount/default\n');
  requireSuccess(await platform.davit('down', '_platform'));
  const everywhere = [
    'get',
    'namespace,clusterrole,clusterrolebinding,validatingwebhookconfiguration,crd',
    '-o',
    'name',
  ];
  const left = (await on.kubectl(...everywhere)).split('\n').filter((name) => name.includes('proof'));
  expect(left).toEqual([`namespace/${on.models}`, `namespace/${on.environment.platformNamespace}`]);
  if (on.environment.knative.mode === 'install') expect(await on.kubectl(...everywhere)).not.toMatch(/knative|kourier/);
  // The namespaces stay, because they may hold the user's own Secrets.
  await on.kubectl('delete', '--wait=false', ...left);
});

test.runIf(traces)('removeCluster() leaves nothing on the machine', async () => {
  expect(await removeCluster(options)).toBe('node');
  expect(await readTraces()).toEqual(traces);
  expect(await readClusterStatus(options)).toBeUndefined();
});
