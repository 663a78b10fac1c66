// Stands in for `davit_server`: the same arguments, events and socket, and what its first argument says it does.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { Socket } from 'node:net';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { uds: { type: 'string' }, 'parent-fd': { type: 'string' } },
});
const [what] = positionals;
const say = (event: object) => process.stderr.write(`${JSON.stringify(event)}\n`);

new Socket({ fd: Number(values['parent-fd']) }).on('close', () => process.exit(0)).resume();
process.on('SIGTERM', () => {
  if (what !== 'stubborn') process.exit(0);
});

if (what === 'fail') {
  say({ event: 'failed', stage: 'import', message: 'No module named x', trace: 'model.py:1 in load' });
} else if (what === 'exit') {
  process.stderr.write('last words');
  process.exitCode = 7;
  process.nextTick(() => process.exit(7));
} else if (what !== 'never') {
  process.stderr.write('a warning of the model\n');
  createServer((request, response) => {
    const told = request.headers['x-say'];
    if (told === 'die') process.kill(process.pid, 'SIGKILL');
    else if (typeof told === 'string') {
      const status = Number.parseInt(told, 10);
      response.writeHead(status, told.endsWith('+') ? { 'retry-after': '1' } : {}).end('{}');
    } else if (what === 'stubborn') {
      response.end(String(spawn('sleep', ['60'], { stdio: 'ignore' }).pid));
    } else {
      const env = Object.keys(process.env).filter((name) => name === 'SECRET');
      response.end(JSON.stringify({ predictions: [1], env }));
    }
  }).listen(values.uds, () => say({ event: 'ready' }));
}
