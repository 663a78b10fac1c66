// Runs all checks that need no cluster: the gate, then all tests with real mlflow, uv and Pulumi. Ends with vitest's
// summary.
import { spawn } from 'node:child_process';
import { CODE_FOLDER, codePath } from '../system/code.ts';

const GATE = ['tools/check.ts', '--without-tests'];
const PREPARE = ['tools/prepare-tests.ts'];
const TESTS = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'fast', '--project', 'real', '--project', 'alone'];

const [gate, prepared] = await Promise.all([run(GATE), run(PREPARE)]);
const tests = await run([...TESTS, ...process.argv.slice(2)]);
process.exitCode = [gate, prepared, tests].find((code) => code !== 0) ?? 0;

function run([script = '', ...args]: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [codePath(script), ...args], { cwd: CODE_FOLDER, stdio: 'inherit' });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => done(code ?? 1));
  });
}
