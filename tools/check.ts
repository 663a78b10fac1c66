// The gate: format, lint, types, dead code, generated files, workflows and the fast tests. Runs two steps at a time,
// and all of them even if one fails.
import { findUv } from '../python/find-uv.ts';
import { CODE_FOLDER, codePath } from '../system/code.ts';
import { runProcess } from '../system/run-process.ts';
import { ensureCheckProgram } from './check-programs.ts';

const AT_ONCE = 2;
const WITHOUT_TESTS = process.argv.includes('--without-tests');

const node = (script: string, ...args: readonly string[]) => ({
  program: process.execPath,
  args: [codePath(script), ...args],
});
const bin = (name: string, file: string, ...args: readonly string[]) => node(`node_modules/${name}/${file}`, ...args);
const uv = await findUv();
const ruff = await ensureCheckProgram('ruff');

const STEPS: Readonly<Record<string, { readonly program: string; readonly args: readonly string[] }>> = {
  'fast tests': bin('vitest', 'vitest.mjs', 'run', '--project', 'fast'),
  lint: node('tools/lint.ts'),
  types: bin('typescript', 'bin/tsc', '--noEmit', '--incremental', '--tsBuildInfoFile', 'node_modules/.cache/tsc.json'),
  format: node('tools/check-format.ts'),
  'dead code': bin('knip', 'bin/knip.js'),
  'generated files': node('tools/generate.ts', '--check'),
  house: node('tools/check-structure.ts'),
  workflows: node('tools/check-workflows.ts'),
  'Python imports': { program: uv, args: ['run', '--no-project', '--python', '>=3.9', 'test/runtime/imports_test.py'] },
  'Python lint': { program: ruff, args: ['check', '.'] },
  'Python format': { program: ruff, args: ['format', '--check', '.'] },
};

const started = performance.now();
const waiting = Object.entries(STEPS).filter(([name]) => !(WITHOUT_TESTS && name === 'fast tests'));
const count = waiting.length;
const failed: string[] = [];
await Promise.all(Array.from({ length: AT_ONCE }, work));
const seconds = ((performance.now() - started) / 1000).toFixed(0);
process.stdout.write(
  failed.length > 0
    ? `check: ${failed.join(', ')} failed (${seconds} s)\n`
    : `check: all ${count} steps passed (${seconds} s)\n`,
);
process.exitCode = failed.length > 0 ? 1 : 0;

async function work(): Promise<void> {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const [name, { program, args }] = next;
    const from = performance.now();
    const { code, stdout, stderr } = await runProcess(program, args, { cwd: CODE_FOLDER });
    const took = ((performance.now() - from) / 1000).toFixed(1);
    process.stdout.write(`${code === 0 ? 'passed' : 'FAILED'}  ${name} (${took} s)\n`);
    if (code === 0) continue;
    failed.push(name);
    process.stdout.write(`${stdout}${stderr}\n`);
  }
}
