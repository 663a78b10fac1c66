import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codePath } from '../../system/code.ts';
import { type BenchContext, type Benchmark, repeatWork } from '../benchmark.ts';

const BUNDLE = codePath('action', 'dist', 'index.js');
const TIMES = 10;

export const action: Benchmark = {
  summary: "the GitHub Action's bundle: its size and its start time",
  note: 'Target: at most 2 MB and 0.3 s, including Node’s own start. The measured command is caches, which only sets outputs.',
  run: async (bench) => {
    const folder = await mkdtemp(join(tmpdir(), 'davit-bench-action-'));
    try {
      const { size } = await stat(BUNDLE);
      const env = await makeRunner(folder);
      const started = await measure(bench, 'bundle', [BUNDLE], env);
      const node = await measure(bench, 'Node alone', ['--eval', '0'], env);
      return [
        { what: 'bundle', unit: 'MB', side: 'davit', values: [size / 1e6] },
        { what: 'bundle, start to end', unit: 'wall s', side: 'davit', values: started },
        { what: '  of that, Node alone', unit: 'wall s', side: 'davit', values: node },
      ];
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

function measure(bench: BenchContext, what: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  return repeatWork(bench, { what, times: TIMES }, () => {
    const from = performance.now();
    const { status, stdout } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`Cannot start the ${what}: ${stdout.trim()}`);
    return Promise.resolve((performance.now() - from) / 1000);
  });
}

/** Makes the environment that GitHub's runner gives an action, without any other variable of this process. */
async function makeRunner(folder: string): Promise<NodeJS.ProcessEnv> {
  const [event, output] = [join(folder, 'event.json'), join(folder, 'output')];
  await Promise.all([writeFile(event, '{}'), writeFile(output, '')]);
  return {
    HOME: folder,
    INPUT_COMMAND: 'caches',
    GITHUB_WORKSPACE: folder,
    GITHUB_REPOSITORY: 'octocat/models',
    GITHUB_RUN_ID: '1',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_EVENT_PATH: event,
    GITHUB_OUTPUT: output,
  };
}
