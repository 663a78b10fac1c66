// Updates a stack from a process of its own, to be killed: `node up.ts ROOT STACK`.
import { openPulumiFolder } from '../../../engine/pulumi-project.ts';
import { upStack } from '../../../engine/run-pulumi.ts';

const [root = '', stack = ''] = process.argv.slice(2);
await upStack(await openPulumiFolder(root), stack);
