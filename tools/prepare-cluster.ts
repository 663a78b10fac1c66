// Builds the parts of the test cluster without starting it. This takes a quarter of an hour with an empty cache, and no
// time otherwise. `.ci/run` runs it in parallel with the other tests, at a low priority.
import { constants, setPriority } from 'node:os';
import { prepareNode } from '../cluster/kubernetes-node/node-cluster.ts';

setPriority(constants.priority.PRIORITY_LOW);
await prepareNode({ progress: { say: (line) => process.stderr.write(`${line}\n`) } });
