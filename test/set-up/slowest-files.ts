import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 10;

/** Prints the slowest test files, so that somebody notices when one becomes slower. */
export class SlowestFiles implements Reporter {
  onTestRunEnd(files: readonly TestModule[]): void {
    const slowest = files
      .map((file) => ({ file, seconds: secondsOf(file) }))
      .toSorted((a, b) => b.seconds - a.seconds)
      .slice(0, SHOWN);
    if (slowest.length < SHOWN) return;
    const lines = slowest.map(
      ({ file, seconds }) =>
        `${seconds.toFixed(1).padStart(9)} s  ${relative(file.project.config.root, file.moduleId)}`,
    );
    process.stdout.write(`\n Slowest files\n${lines.join('\n')}\n`);
  }
}

/** The seconds of a file, including its hooks. */
function secondsOf(file: TestModule): number {
  const { setupDuration, collectDuration, duration } = file.diagnostic();
  return (setupDuration + collectDuration + duration) / 1000;
}
