import { expect, test } from 'vitest';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import { makeIrisFile } from '../../../schemas/explanations/explanation.ts';
import { parseNetworkAddress, renderNetworkAddress } from '../../../schemas/values/network-address.ts';

test.each([
  ['API.example.com:443', 'api.example.com:443'],
  ['db_1-x:5432', 'db_1-x:5432'],
  ['10.0.3.7:5432', '10.0.3.7:5432'],
  ['[FD00:0::7]:80', '[fd00::7]:80'],
  ['localhost:65535', 'localhost:65535'],
])('%s is the service %s', (text, rendered) => {
  const address = parseNetworkAddress(text);
  expect(address && renderNetworkAddress(address)).toBe(rendered);
});

test.each([
  ...['example.com', 'example.com:0', 'example.com:65536', 'example.com:https', ':443', 'https://example.com:443'],
  ...['*.example.com:443', '*:443', 'example.com:443/x', 'u@example.com:443', 'fd00::7:80', '[fd00::7]', '[::]:80'],
  ...['0.0.0.0:80', '127.1:80', '0x7f.1:80', '2130706433:80', '10.0.3.256:80', '-x.example:80', 'a..b:80', 'a b:80'],
  ...['[::ffff:10.0.3.7]:80', '[::FFFF:7f00:1]:80', '[0:0:0:0:0:ffff:169.254.169.254]:80'],
  ...[`${'a'.repeat(64)}.example:80`, 'example.com.:443', '[fe80::1%eth0]:80', 'a\nb:80'],
])('%j is no service', (text) => {
  expect(parseNetworkAddress(text)).toBeUndefined();
});

test('an endpoint file names services without an input of its own, and a wrong one is reported on its line', () => {
  const parse = (network: string) =>
    parseEndpoint(
      `${makeIrisFile()}davit:\n  served_entities:\n    iris-2:\n      validation:\n        network:\n          - a.example:443\n          - ${network}\n`,
      'endpoints/iris.yaml',
    );
  const [entity] = parse('b.example:443').endpoint?.entities ?? [];
  expect([entity?.validation, entity?.network?.map(renderNetworkAddress)]).toEqual([
    [],
    ['a.example:443', 'b.example:443'],
  ]);
  expect(entity?.network?.[0]?.place.line).toBe(makeIrisFile().split('\n').length + 5);
  const line = makeIrisFile().split('\n').length + 6;
  const twice = parse('b.example:443\n          - A.EXAMPLE:443').diagnostics;
  expect(twice.map((d) => [d.line, d.code])).toEqual([[line + 1, 'duplicate-name']]);
  const text =
    makeIrisFile() + 'davit: { served_entities: { iris-2: { validation: { network: "api.example.com:443" } } } }\n';
  expect(parseEndpoint(text, 'endpoints/iris.yaml').diagnostics.map((d) => d.code)).toEqual(['wrong-type']);
  const { diagnostics } = parse('"*.example:443"');
  expect(diagnostics.map((d) => [d.line, d.code])).toEqual([[makeIrisFile().split('\n').length + 6, 'bad-value']]);
  expect(diagnostics[0]?.message).toContain('expected HOST:PORT, such as api.example.com:443');
  expect(parse('"[::ffff:10.0.3.7]:80"').diagnostics[0]?.message).toContain(
    'expected the IPv4 address in its own form',
  );
});
