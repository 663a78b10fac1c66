import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CODE_FOLDER } from '../system/code.ts';

/** Words that readers stumbled over, and what to write instead (ARCHITECTURE.md, "Words"). */
const WORDS: readonly (readonly [word: RegExp, instead: string])[] = [
  [
    /\b(?:interface|type|class) (?:Asked|Told|Known|Seen|Looked|Shown|Found|Given|Judges|Nobody|Turns|Slots|Tally|Place)\b/,
    "the field's noun, such as ParsedRequest",
  ],
  [
    /\b(?:const|let|function) (?:told|telling|judge\w*|asking|looked)\b/,
    'what the value is, or what the function checks',
  ],
  [/\bloaded, not asked\b/, 'only loaded'],
  [/^(?:<{7}|>{7}) /, 'the merged text'],
  [/\bcome again\b/, 'retry'],
  [/\bbe rid of\b/, 'remove'],
  [/\bnot to be had\b/, 'unavailable'],
  [/\b(?:the \w+|one|nothing) of before\b/, 'earlier or previous'],
  [/\b(?:is|was|are|were|when|unless) (?:it is |they are )?told to\b/, 'the effect: is asked to, must'],
  [/\bserves on[.,;:]/, 'keeps serving'],
  [/\bexpected this never\b/, 'internal error'],
  [/\bside by side, (?:on|in|each)\b/, 'at the same time'],
];

test('no word comes back that readers had to read twice', () => {
  const listed = execFileSync('git', ['ls-files', '-z', '*.ts', '*.mjs', '*.py', '*.go', '*.md', '*.yaml', '*.yml'], {
    cwd: CODE_FOLDER,
    encoding: 'utf8',
  });
  const files = listed.split('\0').filter((file) => file !== '' && file !== 'test/words.test.ts');
  expect(files.length).toBeGreaterThan(500);
  const found = files.flatMap((file) =>
    readFileSync(join(CODE_FOLDER, file), 'utf8')
      .split('\n')
      .flatMap((line, i) =>
        WORDS.filter(([word]) => word.test(line)).map(
          ([word, instead]) => `${file}:${i + 1}: ${word.exec(line)?.[0] ?? ''}: write ${instead}`,
        ),
      ),
  );
  expect(found).toEqual([]);
});
