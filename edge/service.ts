// The authorisation service of a cluster: `node edge/service.ts`, configured by environment variables only.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectInCluster } from './cluster-objects/connect-in-cluster.ts';
import { log, describeError } from './log.ts';
import { readEdgeSettings } from './settings.ts';
import { startEdge } from './start-edge.ts';

/**
 * Envoy sends checks until its DNS is fresh (2 s, and 5 s of the cluster's DNS). They are answered, and the connection
 * is closed.
 */
const DRAIN_MILLISECONDS = 8000;

try {
  const settings = readEdgeSettings(process.env);
  const edge = await startEdge(settings, await connectInCluster());
  log('info', 'listening', { ports: settings.ports, namespace: settings.namespace, identity: settings.identity.kind });
  const [signal] = (await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])) as [string];
  log('info', 'shutting down', { signal });
  edge.end();
  await sleep(DRAIN_MILLISECONDS);
  await edge.close();
  process.exit(0);
} catch (e) {
  log('error', 'cannot start', { why: describeError(e) });
  process.exit(1);
}
