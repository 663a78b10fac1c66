// `davit`: finds the verb, runs it, prints what came of it and ends with the exit code that says so:
// 0 fine, 1 something is wrong with what the user wrote or with the model, 2 wrong usage, 3 our fault or an outage.
import { runCommand } from './run-command.ts';

process.exitCode = await runCommand(process.argv.slice(2));
