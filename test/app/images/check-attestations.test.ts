import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { buildUnattestedImages } from '../../../app/images/build-unattested-images.ts';
import {
  checkAttestations,
  listAttestedImages,
  makeAttestationErrors,
} from '../../../app/images/check-attestations.ts';
import type { PulumiProject } from '../../../engine/pulumi-project.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import { renderLock } from '../../../schemas/lock/lock.ts';
import { SILENT } from '../../../system/progress.ts';
import { connected, REPOSITORY } from '../../action/github/connect-fake-github.ts';
import { makeFakeSigstore } from '../../images/attestations/fake-sigstore.ts';
import { SAMPLE_LOCK, SAMPLE_SETTINGS } from '../../images/sample-lock.ts';
import { makeEnvironment } from '../../infra/platform/kubernetes-environment.ts';

const SIGSTORE = makeFakeSigstore();
const DIGEST = `sha256:${'9'.repeat(64)}`;
const WORKFLOW = 'acme/davit/.github/workflows/deploy.yaml';
const RUN = { repository: REPOSITORY, workflow: `${WORKFLOW}@refs/tags/v1`, ref: 'refs/heads/main' };
const ENDPOINT = 'name: iris\nconfig:\n  served_entities: [{ name: iris, entity_name: iris, entity_version: 2 }]\n';

test('an attested image is deployed by the digest that was attested', async () => {
  const { check, environment, reference } = await makeProject({ built: true, repository: REPOSITORY });
  const images = await check();
  expect(makeAttestationErrors(images, environment)).toEqual([]);
  expect(listAttestedImages(images)).toEqual({ [reference()]: DIGEST });
});

test.each([
  ['that nothing attests', { built: true }, `octo/models has no attestation of its digest ${DIGEST}`],
  [
    'that another repository attests',
    { built: true, repository: 'mallory/models' },
    'it is of https://github.com/mallory/models',
  ],
  ['that is not built', { built: false, repository: REPOSITORY }, 'the registry does not have it'],
])('an image %s is an error at the line of its entity, and is not deployed', async (_, options, fault) => {
  const { check, environment } = await makeProject(options);
  const images = await check();
  expect(listAttestedImages(images)).toEqual({});
  expect(makeAttestationErrors(images, environment)).toMatchObject([
    {
      code: 'image-unattested',
      severity: 'error',
      file: 'endpoints/iris.yaml',
      line: 3,
      message: expect.stringContaining(fault) as string,
      hint: expect.stringContaining(`environments/staging.yaml accepts only images that ${WORKFLOW} built`) as string,
    },
  ]);
});

test('a GitHub Enterprise Server is not asked for attestations, and the error says what to remove', async () => {
  const { request, environment, requests } = await makeProject({ built: true, repository: REPOSITORY });
  const endpoint = parseEndpoint(ENDPOINT, 'endpoints/iris.yaml').endpoint!;
  const api = { url: 'https://github.acme.example/api/v3', token: 'ours' };
  const [error] = makeAttestationErrors(
    await checkAttestations(endpoint, { ...request, attestations: api }),
    environment,
  );
  expect(error?.message).toContain('a GitHub Enterprise Server has no attestations; remove images.provenance');
  expect(error?.hint).not.toContain('Start that workflow');
  expect(requests()).toBe(0);
});

test('an environment without the rule asks nobody', async () => {
  const { check, requests } = await makeProject({ built: false, required: false });
  expect(await check()).toEqual([]);
  expect(requests()).toBe(0);
});

test.each([
  ['that the registry does not have', { built: false }],
  ['that somebody else has pushed', { built: true }],
])('an image %s is built, and the digest of this very push is attested', async (_, options) => {
  const { build, reference, built } = await makeProject(options);
  const pushed = `sha256:${'7'.repeat(64)}`;
  expect(await build({ iris: `registry/iris@${pushed}` })).toEqual([{ name: reference(), digest: pushed }]);
  expect(built).toEqual([{ name: 'iris', missing: [reference()], rebuild: true }]);
  await expect(build({})).rejects.toThrow('the build gives no digest for it');
});

test('an image that is attested is not built again', async () => {
  const { build, check, built } = await makeProject({ built: true, repository: REPOSITORY });
  await check();
  expect(await build({})).toEqual([]);
  expect(built).toEqual([{ name: 'iris', missing: [], rebuild: true }]);
});

interface ProjectOptions {
  readonly built: boolean;
  /** Whose workflow has attested the image; undefined: nobody's. */
  readonly repository?: string;
  readonly required?: boolean;
}

/** A project, a registry and a GitHub that answer over real HTTP. */
async function makeProject({ built: isBuilt, repository, required = true }: ProjectOptions) {
  const root = await mkdtemp(join(tmpdir(), 'davit-attested-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await mkdir(join(root, 'endpoints'));
  await writeFile(join(root, 'endpoints', 'iris.lock'), renderLock(SAMPLE_LOCK));
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.writeHead(isBuilt ? 200 : 404, { 'docker-content-digest': DIGEST }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  const registry = `127.0.0.1:${(server.address() as AddressInfo).port}/models`;
  const provenance = required ? { repository: REPOSITORY, workflow: WORKFLOW, branch: 'main' } : undefined;
  const environment = makeEnvironment({ images: { ...SAMPLE_SETTINGS, registry, provenance } });
  const { fake } = await connected({ tokens: { ours: { login: 'bot', permissions: { attestations: 'read' } } } });
  const reference = () =>
    `${registry}/${
      /models\/(.*)\/manifests\/(.*)$/
        .exec(asked.at(-1) ?? '')
        ?.slice(1)
        .join(':') ?? ''
    }`;
  const endpoint = parseEndpoint(ENDPOINT, 'endpoints/iris.yaml').endpoint!;
  const request = {
    place: { root, endpoints: 'endpoints' },
    signal: new AbortController().signal,
    environment,
    attestations: { url: fake.url, token: 'ours' },
    readRoot: () => Promise.resolve(SIGSTORE.root),
  };
  const built: object[] = [];
  const project = { root, environment: {} } as unknown as PulumiProject;
  const build = async (pushed: Readonly<Record<string, string>>) => {
    const work = { ...request, checked: await check(), project, progress: SILENT };
    return buildUnattestedImages(endpoint, work, (name, missing, { rebuild }) => {
      built.push({ name, missing, rebuild });
      return Promise.resolve(pushed);
    });
  };
  const check = async () => {
    await checkAttestations(endpoint, request); // only the registry's requests say what the image is called
    if (repository !== undefined) {
      const subjects = [{ name: reference(), digest: DIGEST }];
      fake.world.attestations[DIGEST] = [SIGSTORE.attest({ ...RUN, repository }, { subjects })];
    }
    return checkAttestations(endpoint, request);
  };
  return { request, build, built, check, environment, reference, requests: () => asked.length + fake.requests.length };
}
