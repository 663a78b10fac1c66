import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { makeSarif } from '../../cli/sarif.ts';
import { renderSourceLines } from '../../cli/source-lines.ts';
import { makeError, makeWarning } from '../../schemas/diagnostic.ts';

const message = z.strictObject({ text: z.string().min(1), markdown: z.string().min(1).optional() });
const level = z.enum(['none', 'note', 'warning', 'error']);
/** The parts of the schema of SARIF 2.1.0 that Davit writes, with what the schema requires of them. */
const sarif = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z.array(
    z.strictObject({
      tool: z.strictObject({
        driver: z.strictObject({
          name: z.string(),
          semanticVersion: z.string().regex(/^\d+\.\d+\.\d+/),
          rules: z.array(
            z.strictObject({ id: z.string(), shortDescription: message, fullDescription: message, help: message }),
          ),
        }),
      }),
      invocations: z.array(
        z.strictObject({
          executionSuccessful: z.boolean(),
          toolExecutionNotifications: z.array(z.strictObject({ level, message })),
        }),
      ),
      columnKind: z.literal('utf16CodeUnits'),
      results: z.array(
        z.strictObject({
          ruleId: z.string(),
          ruleIndex: z.int().min(-1),
          level,
          message,
          locations: z.array(
            z.strictObject({
              physicalLocation: z.strictObject({
                artifactLocation: z.strictObject({ uri: z.string().regex(/^(?:file:\/\/\/)?[\w.%/-]+$/) }),
                region: z.strictObject({ startLine: z.int().min(1), startColumn: z.int().min(1) }),
              }),
            }),
          ),
          partialFingerprints: z.record(z.string(), z.string()),
        }),
      ),
    }),
  ),
});

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'davit-sarif-'));
  for (const folder of ['.git', 'ml/endpoints']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'ml/endpoints/a b.yaml'), 'name: iris\n\tkey: "日本語: x" # \u001b[31mred\n');
});
afterAll(() => rmSync(root, { recursive: true }));

const FILE = 'endpoints/a b.yaml';

test('makeSarif() names files from the root of the repository, whichever folder of the project the command ran in', () => {
  const diagnostics = [
    makeError('bad-value', { file: FILE, line: 2, column: 7 }, 'Cannot accept 5', 'Write 6'),
    makeWarning('uneven-concurrency', { file: FILE, line: 1, column: 1 }, 'Found a maximum of 10'),
    makeError('bad-value', { file: '/elsewhere/x.yaml', line: 1, column: 1 }, 'Cannot accept 5'),
  ];
  const project = join(root, 'ml');
  const made = sarif.parse(makeSarif(diagnostics, { cwd: join(project, 'endpoints'), root: project })).runs[0]!;
  expect(made.tool.driver.rules.map((r) => r.id)).toEqual(['bad-value', 'uneven-concurrency']);
  expect(made.results.map((r) => [r.ruleId, r.ruleIndex, r.level, r.message.text])).toEqual([
    ['bad-value', 0, 'error', 'Cannot accept 5. Write 6'],
    ['uneven-concurrency', 1, 'warning', 'Found a maximum of 10'],
    ['bad-value', 0, 'error', 'Cannot accept 5'],
  ]);
  const uris = made.results.map((r) => r.locations[0]?.physicalLocation.artifactLocation.uri);
  expect(uris).toEqual(['ml/endpoints/a%20b.yaml', 'ml/endpoints/a%20b.yaml', 'file:///elsewhere/x.yaml']);
});

test('makeSarif() of a failed command is a document too', () => {
  const [run] = sarif.parse(makeSarif([], { cwd: root, root: undefined, errors: ['Cannot find a project'] })).runs;
  expect(run?.invocations[0]).toMatchObject({ executionSuccessful: false });
});

test.each([
  ['a key', { line: 1, column: 1 }, ['1 | name: iris', '  | ^^^^']],
  [
    'a quoted value after a tab, with wide characters',
    { line: 2, column: 7 },
    ['2 |  key: "日本語: x" # \ufffd[31mred', '  |       ^^^^^^^^^^^'],
  ],
  ['a place behind the end of a line', { line: 1, column: 99 }, ['1 | name: iris', '  |           ^']],
  ['a line that is not there', { line: 9, column: 1 }, []],
])('renderSourceLines() shows %s', (_, place, lines) => {
  expect(renderSourceLines({ file: FILE, ...place }, ['/nowhere', join(root, 'ml')])).toEqual(lines);
});

test('renderSourceLines() shows a part of a long line, and nothing of a folder, a device or a missing file', () => {
  writeFileSync(join(root, 'long.yaml'), `${'a'.repeat(500)} here ${'b'.repeat(500)}`);
  const [line = '', carets = ''] = renderSourceLines({ file: 'long.yaml', line: 1, column: 502 }, [root]);
  expect(line.length).toBeLessThan(120);
  expect(line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('here');
  for (const file of ['.', '/dev/zero', 'none.yaml'])
    expect(renderSourceLines({ file, line: 1, column: 1 }, [root])).toEqual([]);
});
