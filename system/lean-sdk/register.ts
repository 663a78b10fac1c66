// For `node --import`: the processes that the engine starts load Pulumi's SDK without what Davit does not use.
import { withoutLeanSdk } from './node-options.ts';
import { skipUnusedPackages } from './skip-unused-packages.ts';

skipUnusedPackages();
// What these processes start themselves, such as the local target's supervisor, outlives the engine.
const rest = withoutLeanSdk(process.env['NODE_OPTIONS'] ?? '');
if (rest === '') delete process.env['NODE_OPTIONS'];
else process.env['NODE_OPTIONS'] = rest;
