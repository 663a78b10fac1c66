// `npm stop`: takes down the endpoints that `npm start` and `davit up` have deployed to this machine.
import { down } from './down.ts';
import { runVerb } from './run-command.ts';

process.exitCode = await runVerb('down', down, ['--all', ...process.argv.slice(2)]);
