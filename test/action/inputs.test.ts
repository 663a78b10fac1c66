import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { codePath } from '../../system/code.ts';
import { makeWorkspace, runStepInProcess } from './run-action.ts';

const workspace = makeWorkspace({});
const run = (inputs: Readonly<Record<string, string>>) => runStepInProcess({ inputs, workspace });

describe('the inputs', () => {
  it('are refused all at once, each with what to do', async () => {
    const { code, commands } = await run({
      command: 'report',
      environments: 'local, ../x --help',
      base: '--upload-pack=x',
      'validate-result': 'great',
      'commit-locks': 'yes',
      revert: '1',
    });
    expect(code).toBe(1);
    expect(commands).toHaveLength(1);
    expect(decodeURIComponent(commands[0]!).split('\n')).toEqual([
      '::error::Cannot use "../x" in "environments": expected the name of a file without folder and extension; environments/production.yaml is "production"',
      'Cannot use "--help" in "environments": expected the name of a file without folder and extension; environments/production.yaml is "production"',
      'Cannot use "--upload-pack=x" for "base": expected a commit or branch, such as origin/main',
      'Cannot use "great" for "validate-result": expected one of success, failure, cancelled, skipped, timed_out, startup_failure, action_required, neutral, stale',
      'Cannot use "yes" for "commit-locks": expected true or false',
      'Cannot use "1" for "revert": expected true or false',
      'Cannot use "base" with command report: only fetch, validate, preview accept it; remove it',
      'Cannot run report without "github-token": it is empty, expected a token; remove the input to use the job\'s own token',
    ]);
  });

  it.each([
    [{}, 'Cannot run without "command": expected one of caches, fetch, validate, preview, report'],
    [{ command: 'publish' }, 'Cannot use "publish" for "command": expected one of caches, fetch, validate'],
    [{ command: 'preview' }, 'Cannot run preview without "environments": expected names of files in environments/'],
  ])('%o: %s', async (inputs, sentence) => {
    const { code, commands } = await run(inputs);
    expect(code).toBe(1);
    expect(commands).toEqual([expect.stringContaining(sentence)]);
  });

  it('of an event command nothing: newlines and workflow commands in one stay a text', async () => {
    const { commands } = await run({ command: 'validate', base: 'x\n::set-output name=a::b\n\u{1b}[31m' });
    expect(commands).toHaveLength(1);
    expect(commands[0]).toContain('Cannot use "x\\n::set-output name=a::b');
  });
});

describe('action.yml', () => {
  it('declares what the code reads and says, and nothing else, each with a description', async () => {
    const action = parse(await readFile(codePath('action.yml'), 'utf8')) as {
      readonly inputs: Readonly<Record<string, { readonly description?: string }>>;
      readonly outputs: Readonly<Record<string, { readonly description?: string }>>;
      readonly runs: object;
    };
    const source = await readFile(codePath('action', 'inputs.ts'), 'utf8');
    const read = [...source.matchAll(/(?:getInput|read\w+)\((?:wrong, )?'([a-z-]+)'/g)].map(([, name]) => name);
    expect([...new Set([...read, 'base'])].sort()).toEqual(Object.keys(action.inputs).sort());
    for (const field of [...Object.values(action.inputs), ...Object.values(action.outputs)])
      expect(field.description?.length).toBeGreaterThan(10);
    expect(action.runs).toEqual({ using: 'node24', main: 'action/dist/index.js' });
  });
});
