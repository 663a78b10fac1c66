import { makeDeployment } from './deploy.ts';
import { describeConformance } from './describe-conformance.ts';

const deployment = await makeDeployment('local');

describeConformance({
  name: 'the local target',
  capabilities: { permissions: false, buildLog: 'Loaded' },
  deploy: async () => ({ ...(await deployment.up()), viewer: undefined }),
  remove: async () => {
    await deployment.down();
    await deployment.remove();
  },
});
