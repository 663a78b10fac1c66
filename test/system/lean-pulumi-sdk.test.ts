import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { LEAN_SDK_OPTION } from '../../system/lean-pulumi-sdk/node-options.ts';
import { codePath } from '../../system/code.ts';

/** Runs a program with the option, as the language host does, and returns what it prints. */
function run(program: string): unknown {
  const args = ['--no-warnings', LEAN_SDK_OPTION, '-e', program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: codePath(), encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe('the SDK without unused packages', () => {
  it('is whole but for them, and who uses one learns why it is missing', () => {
    const program = `
      const pulumi = require('@pulumi/pulumi');
      const { createRequire } = require('node:module');
      const arborist = createRequire(require.resolve('@pulumi/pulumi'))('@npmcli/arborist');
      let why = '';
      try { new arborist.Arborist() } catch (e) { why = e.message }
      const loaded = Object.keys(require.cache);
      console.log(JSON.stringify({
        output: typeof pulumi.output,
        heavy: loaded.filter((file) => /node_modules\\/(@npmcli\\/arborist|pacote|source-map-support|typescript)\\//.test(file)),
        why,
      }));`;
    expect(run(program)).toEqual({
      output: 'function',
      heavy: [],
      why: expect.stringMatching(/without this package .*"Arborist"/) as string,
    });
  });

  it('leaves the same packages to everybody else', () => {
    const program = "console.log(JSON.stringify(typeof require('typescript').createProgram))";
    expect(run(program)).toBe('function');
  });
});
