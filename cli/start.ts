// `npm start`: the whole workflow on this machine. Proves the example, deploys its first version, updates it while
// clients send requests, and leaves it serving. Another run finds everything in place.
import { runVerb } from './run-command.ts';
import { walk } from './walk.ts';

process.exitCode = await runVerb('start', walk, process.argv.slice(2));
