import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keepFileDurations, readFileDurations, sortByDuration } from './file-durations.ts';

test('durations of files that passed are kept between runs, and those of files that failed are forgotten', () => {
  const folder = mkdtempSync(join(tmpdir(), 'davit-durations-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'below', 'durations.json');
  expect(readFileDurations(file)).toEqual({});
  keepFileDurations({ 'a.test.ts': 1.5, 'b.test.ts': 2 }, [], file);
  keepFileDurations({ 'b.test.ts': 3 }, ['a.test.ts'], file);
  expect(readFileDurations(file)).toEqual({ 'b.test.ts': 3 });
  writeFileSync(file, '{"b.test');
  expect(readFileDurations(file)).toEqual({});
});

test('files without a duration come first, in the order given, then the longest', () => {
  const sorted = sortByDuration(['short', 'new', 'long', 'failed'], (file) => ({ short: 1, long: 300 })[file]);
  expect(sorted).toEqual(['new', 'failed', 'long', 'short']);
});
