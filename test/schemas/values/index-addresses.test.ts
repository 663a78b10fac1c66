import { expect, test } from 'vitest';
import {
  findWrittenLogin,
  listIndexAddresses,
  maskIndexLogins,
  removeIndexLogins,
} from '../../../schemas/values/index-addresses.ts';

test("lists the indexes of all of uv's variables", () => {
  const variables = { UV_INDEX: 'acme=https://a/simple  https://b/simple?x=y', UV_FIND_LINKS: '/wheels,https://c/' };
  expect(listIndexAddresses(variables)).toEqual([
    { name: 'acme', address: 'https://a/simple' },
    { name: undefined, address: 'https://b/simple?x=y' },
    { name: undefined, address: '/wheels' },
    { name: undefined, address: 'https://c/' },
  ]);
});

test.each([
  ['https://me:hunter2@a/simple', 'me:hunter2'],
  ['https://token@a/simple', 'token'],
  ['https://me:hunt@er2@a/feed@view/simple', 'me:hunt@er2'],
  ['https://me:hun/ter2@a/simple', 'me:hun/ter2'],
  ['http//me:hunter2@a/simple', 'me:hunter2'],
  ['https://a/feed@view/simple', undefined],
  ['https://a/simple', undefined],
  ['/wheels/me@a', undefined],
])('findWrittenLogin(%j)', (address, expected) => {
  expect(findWrittenLogin(address)).toBe(expected);
});

test('no login stays in a text of uv or in the variables', () => {
  const variables = { UV_DEFAULT_INDEX: 'acme=https://me:hun/ter2@a/simple', UV_INDEX: 'https://you:x%2F@b/simple c' };
  expect(maskIndexLogins('use `./https://me:hun/ter2@a/simple`', variables)).toBe('use `./https://…@a/simple`');
  removeIndexLogins(variables);
  expect(variables).toEqual({ UV_DEFAULT_INDEX: 'acme=https://a/simple', UV_INDEX: 'https://b/simple c' });
});
