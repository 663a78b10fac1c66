import { expect, test } from 'vitest';
import { hasCredentials, maskSecrets } from '../../../schemas/values/mask-secrets.ts';

test.each([
  ['https://bob:hunter2@example.com/simple', 'https://…@example.com/simple'],
  ['https://bob:hunt@er2@example.com/simple', 'https://…@example.com/simple'],
  ['https://example.com/simple?token=abc', 'https://example.com/simple?token=…'],
  ['https://example.com/a.whl?v=1&X-Amz-Signature=abc#x', 'https://example.com/a.whl?v=1&X-Amz-Signature=…#x'],
])('maskSecrets() hides what opens %s', (text, shown) => {
  expect([maskSecrets(text), hasCredentials(text)]).toEqual([shown, true]);
});

test('hasCredentials() finds none in an ordinary URL', () => {
  expect(hasCredentials('https://example.com/a.whl?v=1#sha256=abc')).toBe(false);
  expect(hasCredentials('https://example.com/feed@view/simple, or write to me@example.com')).toBe(false);
});
