import { describe, expect, it } from 'vitest';
import {
  createDeployment,
  listDeployments,
  readDeploymentState,
  setDeploymentStatus,
} from '../../../action/github/deployment.ts';
import { connected, SHA } from './connected.ts';

const payload = { endpoint: 'iris', runId: 5_000_000_000, runAttempt: 1, host: 'runner-1' };
const iris = { sha: SHA, environment: 'production', payload };

async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}

describe('deployments', () => {
  it('are recorded with who deploys, and go through their states', async () => {
    const { github, world } = await connected();
    const id = await createDeployment(github, iris);
    expect(await readDeploymentState(github, id)).toBeUndefined();
    await setDeploymentStatus(github, id, { state: 'in_progress', description: 'x'.repeat(200) });
    await setDeploymentStatus(github, id, {
      state: 'success',
      description: 'serves',
      environmentUrl: 'https://models.example.org/iris',
    });
    expect(await readDeploymentState(github, id)).toBe('success');
    expect(world.deployments[0]).toMatchObject({ task: 'davit:iris', environment: 'production', sha: SHA, payload });
    expect(world.deployments[0]!.statuses[1]).toMatchObject({ auto_inactive: false });
  });

  it('are listed newest first, of one endpoint or all, over pages, and foreign ones never', async () => {
    const { github, world } = await connected();
    for (let i = 0; i < 105; i++) await createDeployment(github, { ...iris, payload: { ...payload, runId: i } });
    await createDeployment(github, { ...iris, payload: { ...payload, endpoint: 'wine' } });
    await createDeployment(github, { ...iris, environment: 'staging' });
    const foreign = { sha: SHA, environment: 'production', createdAt: new Date().toISOString(), statuses: [] };
    for (const told of [{}, 'text', { ...payload, runId: 'x' }, { ...payload, endpoint: 'other' }])
      world.deployments.push({ ...foreign, id: world.nextId(), task: 'davit:iris', payload: told });
    const all = await gather(listDeployments(github, 'production'));
    expect(all.map((d) => d.payload.endpoint).slice(0, 2)).toEqual(['wine', 'iris']);
    const ours = await gather(listDeployments(github, 'production', 'iris'));
    expect(ours.map((d) => d.payload.runId)).toEqual(Array.from({ length: 105 }, (_, i) => 104 - i));
  }, 60_000);
});
