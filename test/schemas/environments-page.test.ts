import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseEnvironment } from '../../schemas/environment/environment.ts';

const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'environments.md'), 'utf8');
const examples = [...page.matchAll(/```yaml\n(name: (\w+)\n[\s\S]*?)```/g)].map(
  ([, text = '', name = '']) => [name, text] as const,
);

test.each(examples)('the example of %s on the page is an environment', (name, text) => {
  expect(parseEnvironment(text, `environments/${name}.yaml`).diagnostics).toEqual([]);
});

test('the page has an example of each target', () => {
  expect(examples.map(([name]) => name)).toEqual(['local', 'production']);
});
