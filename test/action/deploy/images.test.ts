import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BOT, connected, REPOSITORY } from '../github/connect-fake-github.ts';
import { runStep } from '../run-action.ts';
import { makeRepository } from './repository.ts';

const IRIS = 'name: iris\nconfig: {served_entities: [{entity_name: iris, entity_version: "2"}]}\n';

async function build(environments: Readonly<Record<string, string>>) {
  const workspace = mkdtempSync(join(tmpdir(), 'davit-images-'));
  const repository = makeRepository(workspace);
  const files = Object.entries(environments).map(([name, text]) => [`environments/${name}.yaml`, text] as const);
  repository.write({ 'endpoints/iris.yaml': IRIS, ...Object.fromEntries(files) });
  const sha = repository.commit();
  const { fake } = await connected({
    branches: { main: sha },
    tokens: { ours: { login: BOT } },
    jobs: { test: { attestations: 'write', deployments: 'write' } },
  });
  const step = await runStep({
    inputs: { command: 'images', environments: Object.keys(environments).join(' '), 'github-token': 'ours' },
    workspace,
    eventName: 'push',
    env: { GITHUB_API_URL: fake.url, GITHUB_REPOSITORY: REPOSITORY, GITHUB_SHA: sha, GITHUB_REF: 'refs/heads/main' },
  });
  return { ...step, requests: fake.requests.length };
}

it('builds nothing where the environment requires no attestations, and asks GitHub nothing', async () => {
  const { code, commands, outputs, requests, log } = await build({ local: 'name: local\ntarget: local\n' });
  expect({ code, commands, subjects: outputs['subjects'], requests }, log).toEqual({
    ...{ code: 0, commands: [], subjects: undefined, requests: 0 },
  });
});

it('says what it cannot build, and leaves the end of the job to deploy', async () => {
  const { code, commands, outputs, log } = await build({ staging: '[' });
  expect({ code, subjects: outputs['subjects'] }, log).toEqual({ code: 0, subjects: undefined });
  expect(commands).toEqual([
    expect.stringMatching(/^::error::Cannot build the images for staging: Cannot use environment "staging"/),
  ]);
});
