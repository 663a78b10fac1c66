import { expect, test } from 'vitest';
import { runPulumiCommand } from '../../engine/pulumi-command.ts';

test.each([
  [
    ['-e', 'process.kill(process.pid, "SIGKILL")'],
    /: it was ended by SIGKILL; completed changes are kept, and the same command continues from there$/,
  ],
  [['-e', 'process.exit(7)'], /: it ended with exit code 7$/],
  [['-e', 'console.error("no such stack"); process.exit(7)'], /: it ended with exit code 7: no such stack$/],
  [
    ['-e', 'console.error("error: failed to load checkpoint: invalid"); process.exit(255)'],
    /: invalid\. The state file of a stack is damaged: restore the previous one, STACK\.json\.bak/,
  ],
])('runPulumiCommand() says how %j ended and how to go on', async (args, message) => {
  const engine = { command: process.execPath, version: '3.225.0', source: 'path' } as const;
  await expect(runPulumiCommand(engine, args, { cwd: '/', environment: {} })).rejects.toThrow(message);
});
