import { basename } from 'node:path';
import type { ProcessInfo } from './processes.ts';

const KINDS: readonly (readonly [string, (line: string, name: string) => boolean])[] = [
  ['davit', (line) => line.includes('cli/main.ts')],
  ['engine', (_, name) => name === 'pulumi'],
  [
    'provider',
    (line, name) =>
      line.includes('local/provider.ts') || line.includes('offline/plugins/') || name.startsWith('pulumi-resource-'),
  ],
  [
    'program',
    (line, name) =>
      name.startsWith('pulumi-language') ||
      line.includes('language-nodejs') ||
      line.includes('cmd/run') ||
      line.includes('/infra'),
  ],
  ['proof', (line) => line.includes('davit_server.prove') || line.includes('rehears')],
];

/** The part of an update that a process belongs to; undefined: none. */
export function findDeployerKind({ command }: ProcessInfo): string | undefined {
  const [line, name] = [command.join(' '), basename(command[0] ?? '')];
  return KINDS.find(([, is]) => is(line, name))?.[0];
}
