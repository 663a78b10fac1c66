// Builds the parts of the test cluster without starting it: a quarter of an hour with an empty cache, else nothing.
// `.ci/run` runs it beside the other tests, at a low priority.
import { constants, setPriority } from 'node:os';
import { prepareNode } from '../cluster/node/node-cluster.ts';

setPriority(constants.priority.PRIORITY_LOW);
await prepareNode({ progress: { say: (line) => process.stderr.write(`${line}\n`) } });
