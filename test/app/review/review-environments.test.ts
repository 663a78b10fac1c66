import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readReviewedEnvironments } from '../../../app/review/review-environments.ts';
import type { ChangedPath } from '../../../schemas/report/report.ts';
import { codePath } from '../../../system/code.ts';

const FILE = 'environments/local.yaml';
const BASE = 'name: local\ntarget: local\n';
const CHANGED = `${BASE}autoscaling: { idle_seconds: 77 }\n`;
const KUBERNETES = /^name: production$.*?(?=^```)/ms.exec(readFileSync(codePath('docs', 'environments.md'), 'utf8'))![0]; // prettier-ignore

function write(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'davit-environments-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const modified = (path = FILE, change: ChangedPath['change'] = 'modified') => [{ path, change }];

async function read(base: Readonly<Record<string, string>>, from: string | undefined, paths: readonly ChangedPath[]) {
  const place = { root: write(base), endpoints: 'endpoints', from };
  const names = [...new Set(paths.map((p) => /([a-z]+)\.yaml$/.exec(p.path)?.[1] ?? 'local'))];
  const { environments, diagnostics } = await readReviewedEnvironments(place, { names, paths });
  const [first] = environments;
  return { first, codes: diagnostics.map((d) => d.code), from: first?.place.environments };
}

describe('readReviewedEnvironments()', () => {
  it('takes the file of the pull request that changes it or adds it, and of no other', async () => {
    const from = write({ [FILE]: CHANGED });
    const { first, from: used } = await read({ [FILE]: BASE }, from, modified());
    expect([first?.isChanged, first?.environment.autoscaling.idleSeconds, used]).toEqual([true, 77, from]);
    expect((await read({}, from, modified(FILE, 'added'))).first?.isChanged).toBe(true);
    for (const paths of [[], modified('environments/other.yaml'), modified('x/environments/local.yaml')]) {
      const place = { root: write({ [FILE]: BASE }), endpoints: 'endpoints', from };
      const { environments } = await readReviewedEnvironments(place, { names: ['local'], paths });
      expect(environments).toMatchObject([{ isChanged: false, environment: { autoscaling: { idleSeconds: 1800 } } }]);
    }
    expect((await read({ [FILE]: CHANGED }, undefined, modified())).first?.isChanged).toBe(false);
  });

  it('previews with no file that has errors or leads out of the checkout, and says so', async () => {
    const broken = await read({ [FILE]: BASE }, write({ [FILE]: '[' }), modified());
    expect([broken.first, broken.codes]).toEqual([undefined, ['bad-yaml']]);
    const outside = write({ 'local.yaml': CHANGED });
    const from = write({ 'environments/x.yaml': '' });
    symlinkSync(join(outside, 'local.yaml'), join(from, FILE));
    const linked = await read({ [FILE]: BASE }, from, modified());
    expect([linked.first, linked.codes]).toEqual([undefined, ['unreadable-file']]);
  });

  it.each([
    ['the kubeconfig', 'kubeconfig: ~/.kube/config', 'kubeconfig: .davit/pull-request/endpoints/config'],
    ['the Docker host', 'docker_host: unix:///var/run/docker.sock', 'docker_host: ssh://x@example.org'],
  ])('never takes from a pull request what decides where previews connect: %s', async (_, before, after) => {
    const file = 'environments/production.yaml';
    expect(KUBERNETES).toContain(before);
    const hostile = KUBERNETES.replace(before, after).replace('idle_seconds: 1800', 'idle_seconds: 3600');
    const from = write({ [file]: hostile });
    const { first } = await read({ [file]: KUBERNETES }, from, modified(file));
    expect([first?.isChanged, first?.environment.autoscaling.idleSeconds]).toEqual([false, 1800]);
    const added = await read({}, from, modified(file, 'added'));
    expect([added.first, added.codes]).toEqual([undefined, ['unknown-environment']]);
    const good = write({ [file]: KUBERNETES.replace('idle_seconds: 1800', 'idle_seconds: 3600') });
    expect((await read({ [file]: KUBERNETES }, good, modified(file))).first?.isChanged).toBe(true);
  });
});
