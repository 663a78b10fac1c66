import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLocalTarget } from '../../app/targets/local-target.ts';
import { runProcess } from '../../system/run-process.ts';
import { runDavit } from '../cli/run-davit.ts';
import { RUN_FOR_REAL } from './covered-commands.ts';
import { writeDocumentedProject } from './documented-project.ts';
import { listDocuments } from './documents.ts';

const CODE = join(import.meta.dirname, '..', '..');
const [BEFORE, DEPLOYED] = RUN_FOR_REAL;
/** A machine that lacks something is no fault of the document. */
const MAY_FIND_PROBLEMS = ['npx davit doctor'];
let root = '';

beforeAll(async () => {
  root = await writeDocumentedProject();
  await mkdir(join(root, 'bin'));
  const npx = `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(CODE, 'cli', 'main.ts')}" "$@"\n`;
  await writeFile(join(root, 'bin', 'npx'), npx);
  await chmod(join(root, 'bin', 'npx'), 0o755);
});
afterAll(async () => {
  await run('npx davit down --all');
  await rm(root, { recursive: true, force: true });
});

function bash(script: string, variables: Readonly<Record<string, string>> = {}) {
  const env = { ...process.env, ...variables, PATH: `${join(root, 'bin')}:${process.env['PATH'] ?? ''}` };
  return runProcess('bash', ['-c', `set -eu\n${script}`], { cwd: root, env });
}

/** A command of plain words runs in this process, which loads Pulumi's SDK once. A shell runs the others. */
async function run(command: string) {
  const words = /^npx davit ([\w ./-]+)$/.exec(command)?.[1]?.split(' ');
  if (!words) return bash(command);
  const { status, stderr } = await runDavit(root, ...words);
  return { code: status, stderr };
}

async function expectSuccess(command: string) {
  const { code, stderr } = await run(command);
  const expected = MAY_FIND_PROBLEMS.includes(command) ? [0, 1] : [0];
  expect(expected.includes(code), `${command} ends with ${code}: ${stderr}`).toBe(true);
}

interface Example {
  readonly command: string;
  readonly answer: unknown;
}

/** The requests of docs/api.md, each with the JSON behind it. */
function listExamples(): readonly Example[] {
  const { blocks } = listDocuments().find(({ file }) => file === 'docs/api.md')!;
  return blocks.flatMap(({ language, text }, i): readonly Example[] => {
    const next = blocks[i + 1];
    if (language !== 'sh' || !text.startsWith('curl ')) return [];
    return [{ command: text, answer: next?.language === 'json' ? (JSON.parse(next.text) as unknown) : undefined }];
  });
}

describe('the commands of the documents, in one project', () => {
  it.each(BEFORE)('%s', expectSuccess);

  it.each(listExamples())('$command', async ({ command, answer }) => {
    const { host, token = '' } = await openLocalTarget(root, 'local').makeToken();
    const { code, stdout, stderr } = await bash(command, { DATABRICKS_HOST: host, DATABRICKS_TOKEN: token });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(answer).toBeDefined();
    expect(JSON.parse(stdout)).toMatchObject(answer as object);
  });

  it.each(DEPLOYED)('%s', expectSuccess);
});
