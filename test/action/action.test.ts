import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const INDEX = join(dirname(dirname(import.meta.dirname)), 'action', 'index.ts');

function runAction(paths: string, files: Readonly<Record<string, string>>) {
  const cwd = mkdtempSync(join(tmpdir(), 'davit-action-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const output = join(cwd, 'output');
  writeFileSync(output, '');
  const env = { ...process.env, INPUT_PATHS: paths, GITHUB_OUTPUT: output };
  const { status, stdout } = spawnSync(process.execPath, [INDEX], { cwd, env, encoding: 'utf8' });
  return { status, stdout, output: readFileSync(output, 'utf8') };
}

describe('the action', () => {
  it('puts every mistake on its line and fails', () => {
    const { status, stdout, output } = runAction('a.yaml\nb.yaml', {
      'a.yaml': 'name: a\nfoo: "::set-output x"\n',
      'b.yaml': '[',
    });
    expect(status).toBe(1);
    expect(stdout.split('\n').filter((l) => l.startsWith('::'))).toEqual([
      '::error title=missing-field,file=a.yaml,line=1,col=1::Cannot find "config": expected a map',
      '::error title=unknown-field,file=a.yaml,line=2,col=1::Cannot accept "foo" here: there is no such field%0AThere are: name, description, tags, config, route_optimized, ai_gateway, rate_limits, davit',
      expect.stringMatching(/^::error title=bad-yaml,file=b.yaml,line=1,col=\d+::/),
      '::error::3 errors in endpoint files',
    ]);
    expect(output).toContain('errors');
  });

  it('is content with good files', () => {
    const good = 'name: a\nconfig: {served_entities: [{entity_name: a, entity_version: "1"}]}\n';
    expect(runAction('a.yaml', { 'a.yaml': good })).toMatchObject({
      status: 0,
      stdout: expect.not.stringContaining('::error') as string,
    });
  });

  it('fails when it cannot do its work', () => {
    const { status, stdout } = runAction('', {});
    expect(status).toBe(1);
    expect(stdout).toContain('::error::Cannot find a project');
  });
});
