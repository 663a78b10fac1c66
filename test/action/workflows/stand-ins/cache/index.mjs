import { appendFileSync } from 'node:fs';

appendFileSync(process.env.GITHUB_OUTPUT, 'cache-hit=false\n');
console.log(`cache ${JSON.stringify({ key: process.env.INPUT_KEY, path: process.env.INPUT_PATH.split('\n') })}`);
