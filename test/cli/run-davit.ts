import { vi } from 'vitest';
import { runCommand } from '../../cli/run-command.ts';

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `davit` in this process, without the start of another one. Not for commands that a signal ends. A test file may run
 * one at a time, because the working folder and the output are those of the process.
 */
export async function runDavit(cwd: string, ...args: readonly string[]): Promise<CommandResult> {
  const before = process.cwd();
  const printed = { stdout: '', stderr: '' };
  const streams = (['stdout', 'stderr'] as const).map((name) => {
    const listeners = process[name].listeners('error');
    const write = vi.spyOn(process[name], 'write').mockImplementation((text) => {
      printed[name] += String(text);
      return true;
    });
    return () => {
      write.mockRestore();
      for (const added of process[name].listeners('error'))
        if (!listeners.includes(added)) process[name].off('error', added as (e: Error) => void);
    };
  });
  process.chdir(cwd);
  try {
    return { status: await runCommand(args), ...printed };
  } finally {
    process.chdir(before);
    for (const restore of streams) restore();
  }
}
