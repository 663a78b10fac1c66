// `npm stop`: takes down the endpoints that `npm start` and `davit up` have deployed to this machine.
import { runVerb } from './run-command.ts';
import { down } from './verbs/down.ts';

process.exitCode = await runVerb('down', down, ['--all', ...process.argv.slice(2)]);
