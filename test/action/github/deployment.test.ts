import { describe, expect, it } from 'vitest';
import {
  createDeployment,
  type DeploymentPayload,
  listDeployments,
  retireDeployments,
  setDeploymentStatus,
} from '../../../action/github/deployment.ts';
import { asked, connected, SHA } from './connect-fake-github.ts';

const payload: DeploymentPayload = {
  endpoint: 'iris',
  action: 'deploy',
  runId: 5_000_000_000,
  runAttempt: 1,
  host: 'runner-1',
  user: 'runner',
};
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
    expect(await gather(listDeployments(github, 'production'))).toMatchObject([{ sha: SHA, states: [], payload }]);
    await setDeploymentStatus(github, id, { state: 'in_progress', description: 'x'.repeat(200) });
    await setDeploymentStatus(github, id, {
      state: 'success',
      description: 'serves',
      environmentUrl: 'https://models.example.org/iris',
    });
    const [found] = await gather(listDeployments(github, 'production'));
    expect(found!.states).toEqual(['success', 'in_progress']);
    expect(world.deployments[0]).toMatchObject({ task: 'davit:iris', environment: 'production' });
    expect(world.deployments[0]!.statuses[1]).toMatchObject({ auto_inactive: false });
  });

  it('are retired by endpoint', async () => {
    const { github, world } = await connected();
    for (const endpoint of ['iris', 'wine', 'iris'])
      await createDeployment(github, { ...iris, payload: { ...payload, endpoint } });
    const [newest, , oldest] = await gather(listDeployments(github, 'production'));
    await retireDeployments(github, { environment: 'production', endpoint: 'iris' }, [oldest!.nodeId, 'DE_unknown']);
    expect(newest!.payload.endpoint).toBe('iris');
    expect(world.deployments.map((d) => d.statuses.map((s) => s['state']))).toEqual([['inactive'], [], []]);
  });

  it('belong to one project of a repository', async () => {
    const { github, connect } = await connected();
    const fraud = connect('ours', { project: 'services/fraud/' });
    await createDeployment(github, iris);
    await createDeployment(fraud, { ...iris, payload: { ...payload, runId: 2 } });
    const runs = async (of: typeof github) =>
      (await gather(listDeployments(of, 'production'))).map((d) => d.payload.runId);
    expect([await runs(github), await runs(fraud)]).toEqual([[payload.runId], [2]]);
  });

  it('are listed newest first, over pages, and foreign ones never', async () => {
    const ours = { sha: SHA, environment: 'production', task: 'davit:iris', payload };
    const many = Array.from({ length: 205 }, (_, runId) => ({ ...ours, payload: { ...payload, runId } }));
    const { github, fake } = await connected({
      deployments: [
        ...many,
        { ...ours, login: 'mallory' },
        { ...ours, login: 'github-actions' },
        { ...ours, payload: {} },
        { ...ours, payload: 'text' },
        { ...ours, payload: { ...payload, runId: 'x' } },
        { ...ours, payload: { ...payload, endpoint: 'other' } },
        { ...ours, task: 'deploy' },
        { ...ours, environment: 'staging' },
        { ...ours, payload: JSON.stringify({ ...payload, runId: 999 }) },
      ],
    });
    const found = await gather(listDeployments(github, 'production'));
    expect(found.map((d) => d.payload.runId)).toEqual([999, ...many.map((d) => d.payload.runId).toReversed()]);
    expect(asked(fake)).toEqual(Array(3).fill('deployments 200'));
  });
});
