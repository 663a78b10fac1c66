import { describe, expect, it } from 'vitest';
import { parseServingEntry } from '../../../schemas/deployment/parse-serving-entry.ts';
import { makeEntry } from '../../edge/fake-cluster.ts';

const ENTRY = makeEntry({
  tags: [{ key: 'team', value: 'x' }],
  rateLimits: [
    { key: 'endpoint', calls: 10, principal: undefined, renewalSeconds: 60 },
    { key: 'user', calls: 1, principal: 'ann', renewalSeconds: 60 },
  ],
});

describe('parseServingEntry()', () => {
  it('reads what infra writes', () => {
    expect(parseServingEntry(JSON.stringify(ENTRY))).toEqual(ENTRY);
  });

  it('reads the signature of an entity, and an earlier entry that has none', () => {
    const [first, second] = ENTRY.entities;
    const signature = { inputs: '[{"type": "long"}]', outputs: null, params: null };
    const entry = { ...ENTRY, entities: [{ ...first!, signature }, second!] };
    expect(parseServingEntry(JSON.stringify(entry))).toEqual(entry);
    expect(parseServingEntry(JSON.stringify(ENTRY)).entities.map((e) => 'signature' in e)).toEqual([false, false]);
  });

  it.each([
    ['nothing', '', /JSON/],
    ['a list', '[]', /Cannot read the entry: it is \[\], expected an object/],
    ['no host', JSON.stringify({ ...ENTRY, host: undefined }), /Cannot read host: it is undefined, expected a string/],
    [
      'no permissions',
      JSON.stringify({ ...ENTRY, permissions: null }),
      /Cannot read permissions: it is null, expected a list/,
    ],
    [
      'an unknown level',
      JSON.stringify({ ...ENTRY, permissions: [{ principal: { kind: 'users', name: '' }, level: 'ALL' }] }),
      /Cannot read permissions\[0\].level: it is "ALL", expected one of CAN_VIEW, CAN_QUERY, CAN_MANAGE/,
    ],
    [
      'a signature that is none',
      JSON.stringify({ ...ENTRY, entities: [{ ...ENTRY.entities[0], signature: { inputs: [] } }] }),
      /Cannot read entities\[0\].signature.inputs: it is \[\], expected a string/,
    ],
    [
      'a limit that is none',
      JSON.stringify({ ...ENTRY, rateLimits: [{ key: 'user', calls: '1', renewalSeconds: 60 }] }),
      /Cannot read rateLimits\[0\].calls/,
    ],
  ])('refuses %s', (_what, text, why) => {
    expect(() => parseServingEntry(text)).toThrow(why);
  });
});
