import { expect, test } from 'vitest';
import { parseImageReference, makeRegistryUrl } from '../../images/image-reference.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

test.each([
  ['ghcr.io/acme/models/iris:1', { registry: 'ghcr.io', name: 'acme/models/iris', version: '1' }],
  ['localhost:5001/iris', { registry: 'localhost:5001', name: 'iris', version: undefined }],
  [`localhost/iris@${DIGEST}`, { registry: 'localhost', name: 'iris', version: DIGEST }],
  [`[::1]:5000/a/b:t@${DIGEST}`, { registry: '[::1]:5000', name: 'a/b', version: DIGEST }],
  ['acme/iris:2', { registry: 'docker.io', name: 'acme/iris', version: '2' }],
  ['python:3.11', { registry: 'docker.io', name: 'library/python', version: '3.11' }],
])('parseImageReference() takes %s apart', (text, expected) => {
  expect(parseImageReference(text)).toEqual(expected);
});

test.each(['', 'ghcr.io/Acme/Iris:1', 'ghcr.io/acme/../iris', 'a b', 'ghcr.io/acme/iris:'])(
  'and refuses "%s"',
  (text) => {
    expect(() => parseImageReference(text)).toThrow(`Cannot read "${text}" as the name of an image`);
  },
);

test.each([
  ['ghcr.io', 'https://ghcr.io'],
  ['docker.io', 'https://registry-1.docker.io'],
  ['localhost:5001', 'http://localhost:5001'],
  ['127.0.0.1', 'http://127.0.0.1'],
  ['[::1]:5000', 'http://[::1]:5000'],
  ['localhost.example.com', 'https://localhost.example.com'],
  ['10.0.0.1:5000', 'https://10.0.0.1:5000'],
])('only this machine is asked without TLS: %s', (registry, address) => {
  expect(makeRegistryUrl(registry)).toBe(address);
});
