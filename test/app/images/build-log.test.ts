import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { openBuildLog, readBuildLog } from '../../../app/images/build-log.ts';
import { explainBuild, findFailedImage } from '../../../app/images/explain-build.ts';

const [A, B] = ['localhost:5001/models/iris:aaaa-1111', 'localhost:5001/models/iris:aaaa-2222'];
/** As the engine's progress has it when docker builds. */
const SAID = [
  '#1 [internal] load build definition from Dockerfile',
  '#1 transferring dockerfile: 718B done',
  '#1 DONE 0.0s',
  '#5 [layers 1/3] FROM registry.example/python@sha256:6059',
  '#5 sha256:6059c6d6 0B / 1.2MB',
  '#5 CACHED',
  '#7 [layers 3/3] RUN ["python3.11", "/settle.py", "/layers/server"]',
  '#7 0.312 OSError: [Errno 28] No space left on device',
  '#7 ERROR: process "python3.11 /settle.py /layers/server" did not complete successfully: exit code: 1',
];
const WHERE = { endpoint: 'iris', environment: 'environments/production.yaml' };
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'davit-build-log-'));
  return () => rm(root, { recursive: true });
});

test('everything is kept, and a person sees what says something', async () => {
  const shown = await build(
    [A],
    SAID.map((line) => `${A}: ${line}`),
  );
  expect(shown).toEqual([SAID[3], SAID[6], SAID[7], SAID[8]]);
  expect(await readFile(join(root, '.davit/build-logs/iris/aaaa-1111.log'), 'utf8')).toBe(`${SAID.join('\n')}\n`);
});

test('each image has its own log, with what concerns all of them', async () => {
  const shown = await build([A, B], ['Installing packages …', `${A}: #1 a\n${A}: #1 DONE 0.1s`, `${B}: #1 b`]);
  expect(shown).toEqual(['Installing packages …', `${A}: #1 a`, `${B}: #1 b`]);
  const logs = await readBuildLog(root, { endpoint: 'iris', entity: undefined, lines: 2, build: true });
  expect(logs.map(({ revision, lines }) => [revision, lines])).toEqual(
    expect.arrayContaining([
      ['aaaa-1111', ['#1 a', '#1 DONE 0.1s']],
      ['aaaa-2222', ['Installing packages …', '#1 b']],
    ]),
  );
  expect(await readBuildLog(root, { endpoint: 'other', entity: undefined, lines: 2, build: true })).toEqual([]);
});

test('explainBuild() names the step, the reason, what was said last and where the rest is', () => {
  const log = { ...WHERE, file: '.davit/build-logs/iris/aaaa-1111.log', lines: SAID };
  expect(explainBuild({ image: A, message: `Cannot build ${A}: docker ended with 1:\nno` }, log)).toBe(
    [
      `Cannot build ${A}: [layers 3/3] RUN ["python3.11", "/settle.py", "/layers/server"] fails: process "python3.11 /settle.py /layers/server" did not complete successfully: exit code: 1`,
      ...[SAID[3], SAID[6], SAID[7], SAID[8]].map((line) => `    ${line ?? ''}`),
      'The whole log is in .davit/build-logs/iris/aaaa-1111.log; npx davit logs iris --build shows it',
    ].join('\n'),
  );
});

test('explainBuild() knows a base image that is not there', () => {
  const base = 'registry.example/python@sha256:6059';
  const lines = [`#3 [internal] load metadata for ${base}`, `#3 ERROR: ${base}: not found`];
  expect(explainBuild({ image: A, message: 'no' }, { ...WHERE, file: 'f', lines }).split('\n')[0]).toBe(
    `Cannot build ${A}: the registry does not have ${base}, expected images.bases of environments/production.yaml to name one that it has`,
  );
});

test('a build that is tried again is explained by what was said since', async () => {
  const log = openBuildLog(root, 'iris', [A]);
  const progress = log.listen({ say: () => undefined });
  progress.say(`${A}: #1 once`);
  log.begin();
  progress.say(`${A}: #1 again`);
  expect(log.read(A).lines).toEqual(['#1 again']);
  await log.keep();
  expect(await readFile(join(root, log.read(A).file), 'utf8')).toBe('#1 once\n#1 again\n');
});

test('explainBuild() says what the provider says when no step failed', () => {
  const log = { ...WHERE, file: 'f', lines: [] };
  const message = `Cannot push ${A}: docker ended with 1:\nThe push refers to repository [localhost:5001/models/iris]\nEOF`;
  expect(explainBuild({ image: A, message }, log).split('\n')).toEqual([
    `Cannot push ${A}: docker ended with 1:`,
    '    The push refers to repository [localhost:5001/models/iris]',
    '    EOF',
    'The whole log is in f; npx davit logs iris --build shows it',
  ]);
});

test('findFailedImage() finds the image among what failed', () => {
  const type = 'docker:index/image:Image';
  const other = { resource: undefined, message: 'the program' };
  expect(findFailedImage([other, { resource: { urn: 'u', type, name: A }, message: 'm' }])).toEqual({
    image: A,
    message: 'm',
  });
  expect(findFailedImage([other])).toBeUndefined();
});

async function build(references: readonly string[], said: readonly string[]): Promise<readonly string[]> {
  const shown: string[] = [];
  const log = openBuildLog(root, 'iris', references);
  const progress = log.listen({ say: (line) => void shown.push(line) });
  for (const line of said) progress.say(line);
  await log.keep();
  return shown;
}
