// Stands in for `davit_server`: the same arguments, events and socket. Its first argument selects its behaviour.
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { Socket } from 'node:net';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { uds: { type: 'string' }, 'parent-fd': { type: 'string' }, 'events-fd': { type: 'string' } },
});
const [what] = positionals;
/** Sends an event to the supervisor and writes it to the log. */
const say = (event: object) => {
  writeSync(Number(values['events-fd']), `${JSON.stringify(event)}\n`);
  print(event);
};
const print = (event: object) => writeSync(2, `${JSON.stringify(event)}\n`);
const FAILED = { event: 'failed', stage: 'import', message: 'No module named x' };

new Socket({ fd: Number(values['parent-fd']) }).on('close', () => process.exit(0)).resume();
process.on('SIGTERM', () => {
  if (what !== 'stubborn') process.exit(0);
});

if (what === 'fail') {
  say({ ...FAILED, trace: 'model.py:1 in load' });
} else if (what === 'fail-without-trace') {
  print({ event: 'failed', message: 'a log line of the model' });
  say(FAILED);
  process.nextTick(() => process.exit(1));
} else if (what === 'pretend') {
  print({ event: 'ready', worker_mode: 'one' });
  print({ ...FAILED, message: 'not true' });
  process.nextTick(() => process.exit(7));
} else if (what === 'exit') {
  process.stderr.write('last words');
  process.exitCode = 7;
  process.nextTick(() => process.exit(7));
} else if (what !== 'never') {
  process.stderr.write('a warning of the model\n');
  if (what === 'lie') for (const event of ['failed', 'ready']) print({ event, stage: 'load', message: 'not true' });
  createServer((request, response) => {
    const command = request.headers['x-say'];
    const [of, status] = (what ?? '').split(':');
    if (of === 'example') response.writeHead(request.headers['x-davit-example'] ? Number(status) : 400).end('because');
    else if (command === 'die') process.kill(process.pid, 'SIGKILL');
    else if (typeof command === 'string') {
      const status = Number.parseInt(command, 10);
      response.writeHead(status, command.endsWith('+') ? { 'retry-after': '1' } : {}).end('{}');
    } else if (what === 'stubborn') {
      response.end(String(spawn('sleep', ['60'], { stdio: 'ignore' }).pid));
    } else if (what === 'slow') {
      setTimeout(() => response.end('late'), 2000);
    } else {
      const env = Object.keys(process.env).filter((name) => name === 'SECRET');
      response.end(JSON.stringify({ predictions: [1], env }));
    }
  }).listen(values.uds, () =>
    say({
      ...{ event: 'ready', workers: 2, worker_mode: 'separate', found: ['2 threads', '1 open file'] },
      rehearsed: what !== 'lie',
      ...(what === 'slow' && { longest_wait: 60 }),
    }),
  );
}
