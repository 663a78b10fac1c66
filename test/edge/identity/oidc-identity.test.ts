import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Callers } from '../../../edge/identity/callers.ts';
import { IdentityUnavailableError } from '../../../edge/identity/identity.ts';
import { makeOidcIdentify } from '../../../edge/identity/oidc-identity.ts';
import { SigningKeys } from '../../../edge/identity/signing-keys.ts';
import '../logged.ts';

const ISSUER = 'https://login.example.com';
const SETTINGS = {
  kind: 'oidc',
  issuer: ISSUER,
  audience: 'davit',
  usernameClaim: 'email',
  groupsClaim: 'groups',
} as const;
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const WEAK = generateKeyPairSync('rsa', { modulusLength: 1024 });
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const P384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const EDWARDS = generateKeyPairSync('ed25519');

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = (from: number) => Math.floor(Date.now() / 1000) + from;
const CLAIMS = {
  iss: ISSUER,
  aud: 'davit',
  sub: '1',
  email: 'ann@example.com',
  groups: ['science', 'system:masters', 7],
};

/** A real token. */
function make(algorithm: string, { privateKey }: Pair, claims: object = {}, header: object = {}): string {
  const text = `${encode({ alg: algorithm, kid: algorithm, ...header })}.${encode({ ...CLAIMS, exp: seconds(600), ...claims })}`;
  const hash = algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`;
  const pss = algorithm.startsWith('PS') && { padding: 6, saltLength: 32 };
  const ec = algorithm.startsWith('ES') && { dsaEncoding: 'ieee-p1363' as const };
  return `${text}.${sign(hash, Buffer.from(text), { key: privateKey, ...pss, ...ec }).toString('base64url')}`;
}

/** An issuer whose documents are read from memory; `read` counts. */
function makeIssuer(keys: readonly (readonly [string, Pair])[]) {
  const state: IssuerState = { keys, down: false, read: 0, issuer: ISSUER, wait: undefined };
  const read = readFrom(state);
  const others = vi.fn(() => Promise.resolve({ why: 'of another issuer' }));
  return { state, others, identify: makeOidcIdentify(SETTINGS, new SigningKeys(ISSUER, read), others) };
}

interface IssuerState {
  keys: readonly (readonly [string, Pair])[];
  down: boolean;
  read: number;
  issuer: string;
  /** Every read waits for it. */
  wait: Promise<unknown> | undefined;
}

function readFrom(state: IssuerState) {
  return async (url: string): Promise<unknown> => {
    await state.wait;
    state.read += 1;
    if (state.down) return Promise.reject(new Error('down'));
    if (url === `${ISSUER}/.well-known/openid-configuration`)
      return Promise.resolve({ issuer: state.issuer, jwks_uri: `${ISSUER}/keys` });
    const jwks = state.keys.map(([kid, { publicKey }]) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid,
      use: 'sig',
    }));
    return Promise.resolve({ keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'HS256' }, { kty: 'unknown' }, ...jwks] });
  };
}

const ALL = [
  ['RS256', RSA],
  ['RS384', RSA],
  ['RS512', RSA],
  ['PS256', RSA],
  ['ES256', P256],
  ['ES384', P384],
  ['EdDSA', EDWARDS],
] as const;

describe('makeOidcIdentify()', () => {
  let issuer: ReturnType<typeof makeIssuer>;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    issuer = makeIssuer(ALL);
    return () => vi.useRealTimers();
  });

  it.each(ALL)('accepts %s', async (algorithm, pair) => {
    const expires = seconds(600) * 1000;
    expect(await issuer.identify(make(algorithm, pair))).toEqual({
      caller: { name: 'ann@example.com', kind: 'user', groups: ['science'] },
      reviewed: undefined,
      expires,
    });
  });

  it.each([
    ['has expired', { exp: seconds(-61) }, /^it expired at /],
    ['has no expiry', { exp: undefined }, /no expiry/],
    ['is not valid yet', { nbf: seconds(90) }, /not valid yet/],
    ['is for another audience', { aud: 'other' }, /another audience, expected "davit"/],
    ['is for other audiences', { aud: ['a', 'b'] }, /another audience/],
    ['names nobody', { email: undefined }, /no claim "email"/],
    ['names nobody in words', { email: 7 }, /no claim "email"/],
    ["has one of the cluster's names", { email: 'system:admin' }, /reserved by the cluster/],
    ["has a client with a service account's name", { sub: 'shop/buy', azp: 'shop/buy' }, /reserved by the cluster/],
    ['has an unverified address', { email_verified: false }, /not verified the address/],
    ['has an unverified address in words', { email_verified: 'false' }, /not verified the address/],
    ['has an address of unknown state', { email_verified: null }, /not verified the address/],
    ['expires in words', { exp: 'never' }, /its expiry is not a time/],
    ['expires at an address', { exp: String(seconds(600)) }, /its expiry is not a time/],
    ['expires after every date', { exp: 1e300 }, /its expiry is not a time/],
    ['expired before every date', { exp: -1e300 }, /its expiry is not a time/],
    ['expired before 1970', { exp: -5 }, /^it expired at 1969-12-31T23:59:55/],
    ['is valid from a text', { nbf: '0' }, /its claim "nbf" is wrong/],
    ['is valid from no number', { nbf: null }, /its claim "nbf" is wrong/],
    ['was made at a text', { iat: 'yesterday' }, /its claim "iat" is wrong/],
  ])('refuses one that %s', async (_what, claims, why) => {
    expect(await issuer.identify(make('RS256', RSA, claims))).toEqual({ why: expect.stringMatching(why) as string });
  });

  it.each([
    ['has ended a moment ago', { exp: seconds(-30) }],
    ['counts in a moment', { nbf: seconds(30) }],
    ['is for several audiences', { aud: ['a', 'davit'] }],
  ])('accepts one that %s', async (_what, claims) => {
    expect(await issuer.identify(make('RS256', RSA, claims))).toHaveProperty('caller');
  });

  it.each(['1e999', '-1e999'])('refuses an expiry of %s, which JSON reads as infinite', async (exp) => {
    const text = `${encode({ alg: 'RS256', kid: 'RS256' })}.${Buffer.from(
      JSON.stringify({ ...CLAIMS, exp: 'EXP' }).replace('"EXP"', exp),
    ).toString('base64url')}`;
    const signature = sign('sha256', Buffer.from(text), RSA.privateKey).toString('base64url');
    expect(await issuer.identify(`${text}.${signature}`)).toEqual({ why: 'its expiry is not a time' });
    expect(await issuer.identify(`${text}.${signature.slice(4)}AAAA`)).toEqual({
      why: 'its signature matches no key of its issuer',
    });
  });

  it('looks at an address only where it is the name, and takes one that nobody speaks of as verified', async () => {
    const byClaim = (usernameClaim: string) =>
      makeOidcIdentify({ ...SETTINGS, usernameClaim }, new SigningKeys(ISSUER, readFrom(issuer.state)), issuer.others);
    const token = make('RS256', RSA, { email_verified: false, azp: 'app' });
    expect(await byClaim('sub')(token)).toMatchObject({ caller: { name: '1', kind: 'user' } });
    for (const verified of [true, 'true', undefined])
      expect(await issuer.identify(make('RS256', RSA, { email_verified: verified }))).toHaveProperty('caller');
    const client = { email_verified: false, sub: 'robot', azp: 'robot' };
    expect(await issuer.identify(make('RS256', RSA, client))).toMatchObject({ caller: { name: 'robot' } });
  });

  it('never believes a token that anybody could have made', async () => {
    const [head, body] = make('RS256', RSA).split('.') as [string, string];
    const pem = RSA.publicKey.export({ format: 'pem', type: 'spki' });
    const hmac = `${encode({ alg: 'HS256', kid: 'RS256' })}.${body}`;
    const forged = [
      `${encode({ alg: 'none' })}.${body}.`,
      `${hmac}.${createHmac('sha256', pem).update(hmac).digest('base64url')}`,
      `${head}.${body}.`,
      `${head}.${encode({ ...CLAIMS, exp: seconds(600), email: 'root' })}.${make('RS256', RSA).split('.')[2] ?? ''}`,
      make('RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })),
      make('ES256', P256, {}, { kid: 'RS256' }),
      make('RS256', RSA, {}, { crit: ['x'] }),
      make('RS256', RSA, {}, { alg: 'toString' }),
      make('RS256', RSA, {}, { kid: 'ES256' }),
    ];
    for (const token of forged) expect(await issuer.identify(token)).toHaveProperty('why');
    const weak = makeIssuer([['RS256', WEAK]]);
    expect(await weak.identify(make('RS256', WEAK))).toHaveProperty('why');
  });

  it('tries every key that fits a token without a key id', async () => {
    const second = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const several = makeIssuer([
      ['a', RSA],
      ['b', second],
    ]);
    expect(await several.identify(make('RS256', second, {}, { kid: undefined }))).toHaveProperty('caller');
    const forged = make('RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }), {}, { kid: undefined });
    expect(await several.identify(forged)).toEqual({ why: 'its signature matches no key of its issuer' });
  });

  it("takes a client's own token for a service principal, and no person's who came through it", async () => {
    const own = { email: undefined, sub: 'robot', azp: 'robot' };
    expect(await issuer.identify(make('RS256', RSA, own))).toMatchObject({
      caller: { name: 'robot', kind: 'service_principal' },
    });
    const person = { email: undefined, azp: 'robot' };
    expect(await issuer.identify(make('RS256', RSA, person))).toHaveProperty('why');
    expect(await issuer.identify(make('RS256', RSA, { azp: 'robot' }))).toMatchObject({ caller: { kind: 'user' } });
  });

  it('leaves tokens of others to others', async () => {
    for (const token of ['opaque', make('RS256', RSA, { iss: 'https://kubernetes.default.svc' })])
      expect(await issuer.identify(token)).toEqual({ why: 'of another issuer' });
    expect(issuer.others).toHaveBeenCalledTimes(2);
  });

  it('follows keys that rotate, without letting anybody make it ask all the time', async () => {
    expect(await issuer.identify(make('RS256', RSA))).toHaveProperty('caller');
    const next = generateKeyPairSync('rsa', { modulusLength: 2048 });
    issuer.state.keys = [['next', next]];
    const token = make('RS256', next, {}, { kid: 'next' });
    expect(await issuer.identify(token)).toHaveProperty('why');
    expect(issuer.state.read).toBe(2);
    vi.advanceTimersByTime(5001);
    expect(await issuer.identify(token)).toHaveProperty('caller');
    expect(await issuer.identify(make('RS256', RSA))).toHaveProperty('why');
    expect(issuer.state.read).toBe(4);
  });

  it('follows keys that rotate, also after the clock was set back', async () => {
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(await issuer.identify(make('RS256', RSA))).toHaveProperty('caller');
    vi.setSystemTime(Date.now() - 3_600_000);
    const next = generateKeyPairSync('rsa', { modulusLength: 2048 });
    issuer.state.keys = [['next', next]];
    vi.advanceTimersByTime(5001);
    expect(await issuer.identify(make('RS256', next, {}, { kid: 'next' }))).toHaveProperty('caller');
  });

  it('lets every token with a new key wait for the one read of the keys, and never remembers that one was unknown', async () => {
    expect(await issuer.identify(make('RS256', RSA))).toHaveProperty('caller');
    vi.advanceTimersByTime(5001);
    const next = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const token = (sub: string) => make('RS256', next, { sub }, { kid: 'next' });
    const callers = new Callers(issuer.identify);
    const published = Promise.withResolvers<undefined>();
    issuer.state.keys = [['next', next]];
    issuer.state.wait = published.promise;
    const answers = ['1', '2', '3'].map((sub) => Promise.resolve(callers.of(token(sub))));
    await new Promise((done) => setImmediate(done));
    published.resolve(undefined);
    for (const answer of await Promise.all(answers)) expect(answer).toHaveProperty('caller');
    expect(issuer.state.read).toBe(4);
    const last = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const early = make('RS256', last, {}, { kid: 'last' });
    expect(await callers.of(early)).toHaveProperty('why');
    issuer.state.keys = [['last', last]];
    vi.advanceTimersByTime(5001);
    expect(await callers.of(early)).toHaveProperty('caller');
  });

  it('does not refuse a token for good whose key cannot be looked for', async () => {
    expect(await issuer.identify(make('RS256', RSA))).toHaveProperty('caller');
    issuer.state.down = true;
    vi.advanceTimersByTime(5001);
    const token = make('RS256', RSA, {}, { kid: 'next' });
    for (let tries = 0; tries < 2; tries++)
      await expect(issuer.identify(token)).rejects.toBeInstanceOf(IdentityUnavailableError);
    expect(issuer.state.read).toBe(3);
  });

  it('keeps its keys while the issuer is away, and says so when it never had any', async () => {
    expect(await issuer.identify(make('RS256', RSA))).toHaveProperty('caller');
    issuer.state.down = true;
    vi.advanceTimersByTime(700_000);
    expect(await issuer.identify(make('RS256', RSA))).toHaveProperty('caller');
    vi.advanceTimersByTime(800_001); // 25 minutes since they were read
    const late = { exp: seconds(600) };
    await expect(issuer.identify(make('RS256', RSA, late))).rejects.toBeInstanceOf(IdentityUnavailableError);
    issuer.state.down = false;
    vi.advanceTimersByTime(5001);
    expect(await issuer.identify(make('RS256', RSA, late))).toHaveProperty('caller');
    const without = makeIssuer(ALL);
    without.state.down = true;
    await expect(without.identify(make('RS256', RSA))).rejects.toBeInstanceOf(IdentityUnavailableError);
    await expect(without.identify(make('RS256', RSA))).rejects.toBeInstanceOf(IdentityUnavailableError);
    expect(without.state.read).toBe(1);
  });

  it('believes no discovery that speaks for another issuer', async () => {
    issuer.state.issuer = 'https://evil.example.com';
    await expect(issuer.identify(make('RS256', RSA))).rejects.toBeInstanceOf(IdentityUnavailableError);
  });
});
