import { type ClusterEnvironment, makeClusterEnvironment, makeViewer, removeViewer } from './cluster-environment.ts';
import { makeDeployment } from './deploy.ts';
import { describeConformance } from './describe-conformance.ts';

/** DAVIT_TEST_ENVIRONMENT: an environment of this checkout that is in place, instead of one that is made and removed. */
const existing = process.env['DAVIT_TEST_ENVIRONMENT'];
const name = existing ?? 'conformance';
const deployment = await makeDeployment(name);
let cluster: ClusterEnvironment | undefined;

describeConformance({
  name: 'the Kubernetes target',
  capabilities: { permissions: true, buildLog: 'images are built where davit up runs' },
  deploy: async () => {
    cluster = await makeClusterEnvironment(deployment, { name, existing });
    const viewer = await makeViewer(cluster);
    return { ...(await deployment.up()), viewer };
  },
  remove: async () => {
    await deployment.down();
    if (cluster) {
      await removeViewer(cluster);
      await cluster.remove();
    }
    await deployment.remove();
  },
});
