// `npm start`: the whole way on this machine. Proves the example, deploys its first version, then updates it while
// clients keep asking, and leaves it serving. Run again, it finds everything in place.
import { runVerb } from './run-command.ts';
import { walk } from './walk.ts';

process.exitCode = await runVerb('start', walk, process.argv.slice(2));
