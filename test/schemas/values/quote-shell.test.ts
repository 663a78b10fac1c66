import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { quoteShell } from '../../../schemas/values/quote-shell.ts';

test('quoteShell() makes one argument of any text, and leaves plain text readable', () => {
  const hostile = ['a"; touch x; "', "it's", '`id`', '$(id) $HOME', 'a>=1,<2', '~/x', 'a*', '', '\\', '!x', 'a#b'];
  const echoed = execFileSync('sh', ['-c', `printf '%s\\n' ${hostile.map(quoteShell).join(' ')}`], {
    encoding: 'utf8',
  });
  expect(echoed.split('\n').slice(0, -1)).toEqual(hostile);
  expect(quoteShell('./code/foo-1.0.tar.gz')).toBe('./code/foo-1.0.tar.gz');
  expect(quoteShell('pyspark==3.5.5')).toBe('pyspark==3.5.5');
});
