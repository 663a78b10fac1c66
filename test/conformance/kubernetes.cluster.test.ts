import { inject } from 'vitest';
import { type ClusterEnvironment, createViewer, openClusterEnvironment, removeViewer } from './cluster-environment.ts';
import { makeDeployment } from './deploy.ts';
import { describeConformance } from './describe-conformance.ts';

const deployment = await makeDeployment(inject('shared').environment);
let cluster: ClusterEnvironment | undefined;

describeConformance({
  name: 'the Kubernetes target',
  capabilities: { permissions: true, buildLog: 'images are built where davit up runs' },
  deploy: async () => {
    cluster = await openClusterEnvironment(deployment.root);
    const viewer = await createViewer(cluster);
    return { ...(await deployment.up()), viewer };
  },
  remove: async () => {
    await deployment.down();
    if (cluster) await removeViewer(cluster);
    await deployment.remove();
  },
});
