import { runInNewContext } from 'node:vm';
import { stripTypeScriptTypes } from 'node:module';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { codePath } from '../../system/code.ts';

/** What `expression` is in a world without the functions that Node 20 lacks. */
function evaluate(expression: string): unknown {
  const source = stripTypeScriptTypes(readFileSync(codePath('system', 'node-20.ts'), 'utf8'));
  return runInNewContext(`delete Promise.withResolvers; delete Map.groupBy;\n${source}\n${expression}`);
}

it('gives Node 20 the functions that Davit uses', async () => {
  expect(evaluate("JSON.stringify([...Map.groupBy([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even'))])")).toBe(
    '[["odd",[1,3]],["even",[2]]]',
  );
  expect(
    await evaluate('(() => { const { promise, resolve } = Promise.withResolvers(); resolve(4); return promise; })()'),
  ).toBe(4);
  expect(
    await evaluate(
      '(() => { const { promise, reject } = Promise.withResolvers(); reject(5); return promise.catch((e) => e); })()',
    ),
  ).toBe(5);
});

it('keeps the functions of a newer Node', () => {
  expect(evaluate('Object.keys(Promise).length + Object.keys(Map).length')).toBe(0);
});
