import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';

const { ARTIFACTS, GITHUB_RUN_ID, INPUT_PATTERN, INPUT_PATH } = process.env;
const run = join(ARTIFACTS, process.env['INPUT_RUN-ID'] || GITHUB_RUN_ID);
const names = existsSync(run) ? readdirSync(run) : [];
for (const name of names.filter((n) => matchesGlob(n, INPUT_PATTERN)))
  cpSync(join(run, name), join(INPUT_PATH, name), { recursive: true });
