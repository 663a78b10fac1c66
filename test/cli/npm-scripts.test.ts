import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { codePath } from '../../system/code.ts';
import { runProcess } from '../../system/run-process.ts';

const { scripts } = JSON.parse(readFileSync(codePath('package.json'), 'utf8')) as { scripts: Record<string, string> };

/** Runs the program of an npm script, without the launcher. */
function npmScript(name: string, ...args: readonly string[]) {
  const [, program = ''] = /^node bin\/launch\.mjs (cli\/\S+)$/.exec(scripts[name] ?? '') ?? [];
  return runProcess(process.execPath, [codePath(program), ...args]);
}

describe.each([
  ['start', 'davit start '],
  ['stop', 'davit down '],
])('npm %s', (name, usage) => {
  it('runs its verb', async () => {
    expect(await npmScript(name, '--help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(usage) as string,
    });
  });

  it('refuses an option that its verb does not have', async () => {
    const { code, stderr } = await npmScript(name, '--nonsense');
    expect(code).toBe(2);
    expect(stderr).toContain('--nonsense');
  });
});
