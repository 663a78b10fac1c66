// For `node --import`: the processes that the engine starts load Pulumi's SDK without its unused packages.
import { withoutLeanSdk } from './node-options.ts';
import { skipUnusedPackages } from './skip-unused-packages.ts';

skipUnusedPackages();
// Their own children do not get the option, because some of them, such as the local supervisor, outlive the engine.
const rest = withoutLeanSdk(process.env['NODE_OPTIONS'] ?? '');
if (rest === '') delete process.env['NODE_OPTIONS'];
else process.env['NODE_OPTIONS'] = rest;
