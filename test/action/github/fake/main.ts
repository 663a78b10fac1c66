// The fake GitHub as a process: `node test/action/github/fake/main.ts SEED.json`. It first prints its address. A
// request for /_fake returns its whole state. SIGTERM and SIGINT end it.
import { readFileSync } from 'node:fs';
import type { Seed } from './seed.ts';
import { startFakeGitHub } from './server.ts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new TypeError('Cannot start the fake GitHub: expected the file that it begins with');
const fake = await startFakeGitHub(JSON.parse(readFileSync(file, 'utf8')) as Seed);
process.stdout.write(`${fake.url}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void fake.close());
