import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseReport } from '../../schemas/report/report.ts';
import { runDavit } from './run-davit.ts';

let project = '';
let secret = '';

beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'davit-review-')));
  secret = `${project}-secret`;
  writeFileSync(secret, 'root: hidden\n');
  for (const folder of ['endpoints', 'environments']) mkdirSync(join(project, folder));
  writeFileSync(join(project, 'Pulumi.yaml'), 'name: davit\n');
  writeFileSync(join(project, 'environments', 'local.yaml'), 'name: local\ntarget: local\n');
});
afterAll(() => {
  rmSync(project, { recursive: true });
  rmSync(secret);
});

const davit = (...args: readonly string[]) => runDavit(project, ...args);

function git(...args: readonly string[]) {
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', ['-C', project, ...identity, ...args], { encoding: 'utf8' }).trim();
}

const result = (stdout: string) =>
  parseReport(JSON.stringify((JSON.parse(stdout) as { readonly result: unknown }).result));

// Its project grows from test to test.
describe('davit review', { shuffle: false }, () => {
  it('needs a Git repository or names', async () => {
    const { status, stderr } = await davit('review');
    expect(status).toBe(2);
    expect(stderr).toContain('is not in a Git repository; name the endpoints: npx davit review NAME\n');
    expect(await davit('review', 'none', '--json')).toMatchObject({ status: 1 });
  });

  it('says when nothing changed', async () => {
    git('init', '-q', '-b', 'main');
    git('add', '-A');
    git('commit', '-q', '-m', 'first');
    const { status, stdout, stderr } = await davit('review');
    const head = git('rev-parse', 'HEAD').slice(0, 12);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.replace(/`[0-9a-f]{12}` of Davit `[0-9.]+` and/, 'PROGRAM and')).toBe(
      `<!-- davit:report v1 -->\n### No endpoint changes\n\n<sub>Base \`${head}\`, head \`${head}\` · previewed with program PROGRAM and the environments of this checkout</sub>\n`,
    );
  });

  it('reports every endpoint that fails, and goes on', async () => {
    writeFileSync(join(project, 'endpoints', 'a.yaml'), 'name: a\nfoo: 1\n');
    writeFileSync(join(project, 'endpoints', 'b.yaml'), 'name: [\n');
    writeFileSync(join(project, 'endpoints', 'c.yml'), 'name: c\n');
    writeFileSync(join(project, 'environments', 'other.yaml'), 'name: another\n');
    const { status, stdout } = await davit('review', '--json');
    expect(status).toBe(1);
    const report = result(stdout);
    expect(report).toMatchObject({ base: git('rev-parse', 'HEAD'), environments: ['local'] });
    expect(
      report.endpoints.map((e) => [e.endpoint, e.change, e.diagnostics.map((d) => `${d.line} ${d.code}`)]),
    ).toEqual([
      ['a', 'added', ['1 missing-field', '2 unknown-field']],
      ['b', 'added', ['1 bad-yaml']],
    ]);
    expect(new Set(report.diagnostics.map((d) => d.file))).toEqual(
      new Set(['endpoints/c.yml', 'environments/other.yaml']),
    );
  });

  it('writes the report to a file and says its first line', async () => {
    const { status, stdout } = await davit('review', '--markdown', 'report.md');
    expect(status).toBe(1);
    expect(stdout).toMatch(/^2 endpoints: 2 fail; \d errors in other files\n$/);
    expect(readFileSync(join(project, 'report.md'), 'utf8')).toContain(`### ${stdout}`);
  });

  it('reviews what is named, and says of an environment that it does not exist', async () => {
    const { status, stdout } = await davit('review', 'endpoints/a.yaml', '-e', 'local', '-e', 'moon', '--json');
    expect(status).toBe(1);
    const report = result(stdout);
    expect(report.endpoints.map((e) => e.endpoint)).toEqual(['a']);
    expect(report.diagnostics).toContainEqual(expect.objectContaining({ code: 'unknown-environment' }));
  });

  it('quotes nothing of a file that a link brings in', async () => {
    symlinkSync(secret, join(project, 'endpoints', 'link.yaml'));
    symlinkSync(secret, join(project, 'environments', 'link.yaml'));
    const { status, stdout, stderr } = await davit('review', '--json');
    expect(status).toBe(1);
    expect(stdout + stderr).not.toMatch(/root|hidden/);
    expect(result(stdout).endpoints.at(-1)).toMatchObject({
      endpoint: 'link',
      diagnostics: [{ code: 'unreadable-file' }],
    });
  });

  it('never takes what it compares with for an option of Git', async () => {
    const { status, stderr } = await davit('review', `--base=--output=${project}/written`);
    expect(status).toBe(2);
    expect(stderr).toContain('is not a commit in this repository');
  });
});
