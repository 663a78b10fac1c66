import { expect, test } from 'vitest';
import { renderDiagnostic } from '../../../schemas/diagnostic.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import type { Environment } from '../../../schemas/environment/environment.ts';
import { makeIrisFile } from '../../../schemas/explanations/explanation.ts';
import { EXPLANATIONS } from '../../../schemas/explanations/explanations.ts';
import type { Proof, SystemLibrary } from '../../../schemas/lock/proof.ts';
import { checkProofInEnvironment } from '../../../validation/proof/check-proof-in-environment.ts';

const endpoint = parseEndpoint(makeIrisFile(), 'endpoints/iris.yaml').endpoint!;
const DIGEST = `@sha256:${'0'.repeat(64)}`;
const SLIM = `docker.io/library/python:3.11-slim${DIGEST}`;

function check(libraries: readonly SystemLibrary[], images: { base?: string; packages?: readonly string[] } = {}) {
  const { base = SLIM, packages = [] } = images;
  const proof = { python: '3.11.7', libraries } as unknown as Proof;
  const environment = {
    ...{ name: 'production', file: 'environments/production.yaml', target: 'kubernetes' },
    images: { bases: { '3.11': base }, packages },
    hardware: {},
  } as unknown as Environment;
  const validation = { entities: [{ entity: 'iris-2', model: 'iris 2', stages: [], proof }] };
  return checkProofInEnvironment(endpoint, validation, environment);
}

const needs = (name: string): SystemLibrary => ({ name, by: 'lightgbm/lib/lib_lightgbm.so' });
const severities = (...args: Parameters<typeof check>) => check(...args).map((d) => d.severity);

test('a library that the base image lacks is an error, which names its Debian package', () => {
  const [found] = check([needs('libgomp.so.1')]);
  expect(renderDiagnostic(found!).split('\n')[0]).toBe(EXPLANATIONS['library-missing'].example.says);
  expect(found?.hint).toBe('Add "libgomp1" to images.packages in environments/production.yaml');
  expect(check([needs('libown.so.7')])[0]?.hint).toBe(
    'Add the Debian package that provides it to images.packages in environments/production.yaml. packages.debian.org finds it by the file libown.so.7',
  );
});

test('nothing is said about what every slim image, glibc or the driver of a graphics card has, or on another target', () => {
  const common = ['libc.so.6', 'libstdc++.so.6', 'ld-linux-x86-64.so.2', 'libssl.so.3', 'libnss_systemd.so.2'];
  expect(check([...common, 'libcuda.so.1', 'libnvidia-ml.so.1'].map(needs))).toEqual([]);
  const proof = { libraries: [needs('libgomp.so.1')] } as unknown as Proof;
  const validation = { entities: [{ entity: 'iris-2', model: 'iris 2', stages: [], proof }] };
  const local = { target: 'local', name: 'local' } as unknown as Environment;
  expect(checkProofInEnvironment(endpoint, validation, local)).toEqual([]);
});

test.each<[string, 'error' | 'warning']>([
  [`python:3.11.9-slim-bookworm${DIGEST}`, 'error'],
  [`mirror.acme.example/library/python:3.11-slim${DIGEST}`, 'error'],
  [`docker.io/library/python${DIGEST}`, 'warning'],
  [`docker.io/library/python:3.11${DIGEST}`, 'warning'],
  [`ghcr.io/acme/python:3.11-slim${DIGEST}`, 'warning'],
  [`python:3.11-slim-bullseye${DIGEST}`, 'warning'],
])('what the base image %s lacks is: %s', (base, severity) => {
  expect(severities([needs('libgomp.so.1')], { base })).toEqual([severity]);
  expect(severities([needs('libgomp.so.1')], { base, packages: ['libgomp1'] })).toEqual([]);
});

test.each([
  ['libnettle.so.8', '3.11-slim-bookworm', []],
  ['libnettle.so.8', '3.11-slim', ['warning']],
  ['libnettle.so.8', '3.11-slim-trixie', ['error']],
  ['libkrb5.so.3', '3.12-slim', []],
  ['libkrb5.so.3', '3.13-slim', ['error']],
])('%s in python:%s: %j', (library, tag, expected) => {
  expect(severities([needs(library)], { base: `python:${tag}${DIGEST}` })).toEqual(expected);
});

test.each<[string, string, readonly ('error' | 'warning')[]]>([
  ['libGL.so.1', 'libgl1', []],
  ['libX11.so.6', 'libgl1', []], // which libgl1 depends on
  ['libgthread-2.0.so.0', 'libglib2.0-0t64', []],
  ['libfoo_bar-1.0.so.3', 'libfoo-bar-1.0-3', []], // as Debian names packages
  ['libgomp.so.1', 'libgl1', ['error']],
  ['libgomp.so.1', 'ffmpeg', ['warning']], // nobody here knows what it depends on
])('%s with the package %s: %j', (library, name, expected) => {
  expect(severities([needs(library)], { packages: [name] })).toEqual(expected);
});

test('a library that was opened by its name is a warning, because a model may do without it', () => {
  expect(check([{ name: 'libsndfile.so.1', by: undefined }])).toMatchObject([
    {
      severity: 'warning',
      message:
        'Cannot load "iris-2" without the library libsndfile.so.1: it was loaded here by its name, and the base image docker.io/library/python:3.11-slim of environment "production" lacks it',
    },
  ]);
});
