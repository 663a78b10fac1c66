import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { type FileDurations, keepFileDurations } from './file-durations.ts';

const SHOWN = 10;

/** Keeps the durations of the test files, and prints the slowest, so that somebody notices when one becomes slower. */
export class SlowestFiles implements Reporter {
  onTestRunEnd(files: readonly TestModule[]): void {
    const isWhole = files[0]?.project.globalConfig.testNamePattern === undefined;
    if (isWhole) keepFileDurations(readDurations(files), listFailed(files));
    const slowest = files
      .map((file) => ({ file, seconds: secondsOf(file) }))
      .toSorted((a, b) => b.seconds - a.seconds)
      .slice(0, SHOWN);
    if (slowest.length < SHOWN) return;
    const lines = slowest.map(({ file, seconds }) => `${seconds.toFixed(1).padStart(9)} s  ${pathOf(file)}`);
    process.stdout.write(`\n Slowest files\n${lines.join('\n')}\n`);
  }
}

/** The seconds of a file, including its hooks. */
function secondsOf(file: TestModule): number {
  const { setupDuration, collectDuration, duration } = file.diagnostic();
  return (setupDuration + collectDuration + duration) / 1000;
}

function readDurations(files: readonly TestModule[]): FileDurations {
  const passed = files.filter((file) => file.state() === 'passed');
  return Object.fromEntries(passed.map((file) => [pathOf(file), Math.round(secondsOf(file) * 10) / 10]));
}

function listFailed(files: readonly TestModule[]): readonly string[] {
  return files.filter((file) => file.state() === 'failed').map(pathOf);
}

function pathOf(file: TestModule): string {
  return relative(file.project.config.root, file.moduleId);
}
