import { expect, it } from 'vitest';
import { readEnvironment } from '../../../schemas/read-project.ts';
import { readOwn } from '../../../schemas/values/read-own.ts';
import { findPipCounterpart } from '../../../validation/requirements/conda-names.ts';

it.each(['constructor', 'toString'])('a table has no entry %s of its own', async (name) => {
  expect(readOwn({}, name)).toBeUndefined();
  expect(findPipCounterpart(name)).toEqual({ pip: name.toLowerCase(), certain: false });
  const place = { root: import.meta.dirname, endpoints: 'endpoints' };
  expect((await readEnvironment(place, name)).diagnostics).toMatchObject([{ code: 'unknown-environment' }]);
});
