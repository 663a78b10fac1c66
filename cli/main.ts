// `davit`: runs a verb, prints its outcome and ends with an exit code: 0 fine, 1 an error in the user's files or in the
// model, 2 wrong usage, 3 an outage or a fault of Davit, 128 plus the number of the signal that stopped it.
import '../system/node-20.ts';
import { runCommand } from './run-command.ts';

process.exitCode = await runCommand(process.argv.slice(2));
