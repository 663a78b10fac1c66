import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';

const { ARTIFACTS, GITHUB_RUN_ID, INPUT_NAME, INPUT_PATH } = process.env;
if (INPUT_PATH === '') throw new Error('Input required and not supplied: path');
const artifact = join(ARTIFACTS, GITHUB_RUN_ID, INPUT_NAME);
if (existsSync(artifact)) throw new Error(`an artifact with this name already exists: ${INPUT_NAME}`);
if (existsSync(INPUT_PATH)) cpSync(INPUT_PATH, artifact, { recursive: true });
else console.log(`::warning::No files were found with the provided path: ${INPUT_PATH}`);
