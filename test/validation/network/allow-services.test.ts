import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readAcceptedServices } from '../../../app/review/accepted-services.ts';
import type { Policy } from '../../../schemas/environment/policy.ts';
import { renderNetworkAddress } from '../../../schemas/values/network-address.ts';
import { runGit } from '../../../system/git/run-git.ts';
import {
  allowServices,
  type RefusalContext,
  reportRefusedServices,
} from '../../../validation/network/allow-services.ts';
import { explainNetwork, listUnreached, reportFailedServices } from '../../../validation/network/explain-network.ts';
import { resolvePolicy } from '../../../validation/policy.ts';
import { findOnlyLoaded } from '../../../validation/proof/prove-model.ts';
import { explainProof } from '../../../validation/proof/explain-proof.ts';
import { isUnreachable, renderNetworkUse } from '../../../schemas/lock/proof.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { makeEndpoint } from '../throw-away-project.ts';

const NAMES = ['a.example:443', 'b.example:443', '[fd00::7]:5432'];
const endpoint = makeEndpoint('e', { m: 'm/1' }, { m: { validation: { network: NAMES } } });
const subject = makeSubject(endpoint, endpoint.entities[0]!);

test.each<[string, readonly Policy[], readonly string[], readonly string[]]>([
  ['no environment', [], [], []],
  ['an environment', [{ network: ['A.example:443', 'other.example:1'] }], [], ['a.example:443']],
  ['only one of two environments', [{ network: ['a.example:443'] }, {}], [], []],
  ['both environments', [{ network: NAMES }, { network: ['b.example:443'] }], [], ['b.example:443']],
  ['another port', [{ network: ['a.example:80'] }], [], []],
  ['the base branch', [{}], ['[fd00::7]:5432', 'other.example:1'], ['[fd00::7]:5432']],
])('a proof reaches what %s allows', (_who, policies, acceptedServices, expected) => {
  const rules = { policy: resolvePolicy(policies, {}), acceptedServices };
  const allowed = allowServices(subject.entity, rules);
  expect(allowed.map(renderNetworkAddress)).toEqual(expected);
  const refused = NAMES.filter((name) => !expected.includes(name));
  const diagnostics = reportRefusedServices(subject, allowed);
  expect(diagnostics.map((d) => /reach (\S+) in/.exec(d.message)?.[1])).toEqual(refused);
  expect(diagnostics.map((d) => d.line)).toEqual(
    subject.entity.network?.filter((s) => refused.includes(renderNetworkAddress(s))).map((s) => s.place.line),
  );
});

test('a fork reaches no service, and only the environments allow those of the machine that validates', () => {
  const local = ['localhost:8080', '127.0.0.1:80', '169.254.169.254:80', '[fd00:ec2::254]:80', '[64:ff9b::1]:80'];
  const names = [...local, 'a.example:443'];
  const { entities } = makeEndpoint('e', { m: 'm/1' }, { m: { validation: { network: names } } });
  const allow = (network: readonly string[], acceptedServices: readonly string[], isRestricted: boolean) =>
    allowServices(entities[0]!, { policy: { network }, acceptedServices, isRestricted }).map(renderNetworkAddress);
  expect(allow([], names, false)).toEqual(['a.example:443']);
  expect(allow(names, [], false)).toEqual(names);
  expect(allow(names, names, true)).toEqual([]);
  const [first] = reportRefusedServices(makeSubject(endpoint, entities[0]!), [], { isRestricted: true });
  expect(first?.message).toMatch(
    /localhost:8080 in its proof: the run of a pull request from a fork, or of Dependabot/,
  );
  const whys = reportRefusedServices(makeSubject(endpoint, entities[0]!), []).map((d) => / it is an address /.test(d.message)); // prettier-ignore
  expect(whys).toEqual([...local.map(() => true), false]);
});

const LOCAL = { name: 'local', policy: {} };
const PROD = { name: 'prod', policy: { network: ['A.example:443'] } };
const STAGING = { name: 'staging', policy: { network: ['other.example:1'] } };
const ADD = 'Add it to policy.network in';
const OR_MERGE = ', or merge this file: the next review allows what it names';

test.each<[string, RefusalContext, string, string]>([
  [
    'davit validate',
    { environments: [LOCAL] },
    'policy.network of environments/local.yaml does not have it, expected it there',
    `${ADD} environments/local.yaml`,
  ],
  [
    'a run without a readable environment',
    {},
    'policy.network of environments/NAME.yaml does not have it, expected it there',
    `${ADD} environments/NAME.yaml`,
  ],
  [
    'a review with a base',
    { environments: [PROD, STAGING, LOCAL], acceptedServices: [] },
    'policy.network of environments/staging.yaml and environments/local.yaml does not have it, expected it there',
    `${ADD} environments/staging.yaml and environments/local.yaml and merge that first${OR_MERGE}`,
  ],
  [
    'a review of a change that adds it to the policy',
    { environments: [PROD], acceptedServices: [] },
    'policy.network has it only in this change, expected it also on the base branch',
    `Merge the change of the environment files first${OR_MERGE}`,
  ],
  [
    'the run of a fork',
    { environments: [PROD], acceptedServices: ['a.example:443'], isRestricted: true },
    'the run of a pull request from a fork, or of Dependabot, gets no services, because nobody has reviewed its code',
    'A maintainer who has read the code pushes it to a branch of the repository, whose run may reach what is allowed',
  ],
])('%s says who could allow a service', (_who, context, why, repair) => {
  const [found] = reportRefusedServices(subject, [], context);
  expect(found?.message).toBe(`Cannot let m 1 reach a.example:443 in its proof: ${why}`);
  expect(found?.hint).toBe(`${repair}. Until then the proof has no such service`);
});

test('a review never says that to merge the endpoint file allows a service of the machine that validates', () => {
  const { entities } = makeEndpoint('e', { m: 'm/1' }, { m: { validation: { network: ['localhost:80'] } } });
  const context = { environments: [LOCAL], acceptedServices: ['localhost:80'] };
  const [found] = reportRefusedServices(makeSubject(endpoint, entities[0]!), [], context);
  expect(found?.hint).toBe(
    `${ADD} environments/local.yaml and merge that first. Until then the proof has no such service`,
  );
});

const USE = { host: 'a.example', port: 443, connections: 1, sentBytes: 1, receivedBytes: 1, failure: undefined };

test('what a model could not reach is named with the way to it', () => {
  const asked = ['a.example:443', 'c.example:443', 'bare.example', 'b.example:443', 'x; rm -rf /', 'a.example'];
  expect(listUnreached({ asked, network: [USE] })).toEqual(['c.example:443', 'bare.example', 'b.example:443']);
  expect(explainNetwork(subject, { asked, network: [USE] })).toBe(
    'The proof may not reach b.example:443: see network-not-allowed. It asked for c.example:443, bare.example, which the sandbox does not reach: to allow it, add HOST:PORT to davit.served_entities.m.validation.network in endpoints/e.yaml and to policy.network of the environment',
  );
  expect(explainNetwork(subject, { asked: [], network: [USE] })).toBeUndefined();
  expect(explainNetwork({ ...subject, alone: true }, { asked: ['c.example:443'], network: [] })).toBe(
    'It asked for c.example:443, which the sandbox does not reach: with --network c.example:443, davit predict lets it; --without-sandbox runs the model with your own rights and network',
  );
  const failed = { ...USE, connections: 0, failure: 'ECONNREFUSED' };
  expect(explainNetwork(subject, { asked: ['a.example:443'], network: [failed] })).toBe(
    'This machine cannot reach a.example:443 (ECONNREFUSED)',
  );
});

test('a service that does not answer this machine excuses only a failed connection', () => {
  const make = (kind: string, isLost: boolean) => ({
    ...{ stages: [], peak_memory_bytes: 0, warnings: [], libraries: [] },
    failed: { stage: 'predict', kind, message: `${kind}: x`, trace: '', needs_network: false, lost_connection: isLost },
    cases: [{ name: '', origin: 'example' as const, seconds: 1, answer: null, why: 'x' }],
  });
  const sandbox = { user: 'other', sized: true, lacks: [] } as const;
  const network = [{ ...USE, connections: 0, failure: 'ECONNREFUSED' }];
  const find = (kind: string, isLost: boolean, uses = network) =>
    findOnlyLoaded({ sandbox, run: { network: uses } }, [], make(kind, isLost))?.failed;
  expect(find('ConnectionResetError', true)).toBeNull();
  expect(find('ConnectionResetError', true, [])).toBeUndefined();
  expect(find('KeyError', false)).toBeUndefined();
  const run = { code: 0, signal: undefined, stdout: '', stderr: '', stopped: undefined, network };
  const ran = { document: make('KeyError', false), began: 'predict', run, sandbox } as never;
  const [error] = explainProof(subject, ran, { limits: {} as never, packages: [], elsewhere: [] });
  expect(error?.hint).toContain('This machine cannot reach a.example:443 (ECONNREFUSED)');
});

test('a service that did not answer is a warning on its line, and one that was never reached was not reached', () => {
  const failed = { ...USE, connections: 0, failure: 'ENOTFOUND' };
  const [found] = reportFailedServices(subject, [failed, { ...USE, host: 'b.example' }]);
  expect([found?.severity, found?.code, found?.message, found?.line]).toEqual([
    ...['warning', 'service-unreachable', 'The proof of m 1 could not reach a.example:443 (ENOTFOUND)'],
    subject.entity.network?.find((s) => s.host === 'a.example')?.place.line,
  ]);
  expect([failed, USE].map((use) => [isUnreachable(use), renderNetworkUse(use)])).toEqual([
    [true, 'a.example:443 (ENOTFOUND)'],
    [false, 'a.example:443 (1 connection, 1 byte sent, 1 byte received)'],
  ]);
});

test('the endpoint file of the base allows its services for every entity, and that of the pull request none', async () => {
  const root = await mkdtemp(join(tmpdir(), 'davit-accepted-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const git = (...args: readonly string[]) => runGit(root, ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
  await mkdir(join(root, 'endpoints'));
  await git('init', '-q', '-b', 'main');
  const text = `name: e\nconfig: { served_entities: [{ name: old, entity_name: m, entity_version: "1" }] }\ndavit: { served_entities: { old: { validation: { network: [a.example:443] } } } }\n`;
  await writeFile(join(root, 'endpoints/e.yaml'), text);
  await git('add', '-A');
  await git('commit', '-q', '-m', 'base');
  await writeFile(join(root, 'endpoints/e.yaml'), text.replace('a.example:443', 'a.example:443, b.example:443'));
  const request = { place: { root, endpoints: 'endpoints' }, signal: new AbortController().signal };
  expect(await readAcceptedServices(endpoint, { ...request, base: 'main' })).toEqual(['a.example:443']);
  expect(await readAcceptedServices(endpoint, { ...request, base: undefined })).toBeUndefined();
  const other = makeEndpoint('new', { m: 'm/1' }, { m: { validation: { network: NAMES } } });
  expect(await readAcceptedServices(other, { ...request, base: 'main' })).toEqual([]);
});
