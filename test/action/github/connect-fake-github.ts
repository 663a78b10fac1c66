import { onTestFinished } from 'vitest';
import { type ConnectOptions, connectGitHub } from '../../../action/github/connect.ts';
import type { Seed } from './fake/seed.ts';
import { startFakeGitHub } from './fake/server.ts';

export const REPOSITORY = 'octo/models';
export const BOT = 'github-actions[bot]';
export const SHA = 'a'.repeat(40);

const ALL = {
  actions: 'read',
  checks: 'write',
  contents: 'write',
  deployments: 'write',
  issues: 'write',
  'pull-requests': 'write',
} as const;

/** A fake GitHub and the client connected to it, for one test, which fails when either breaks GitHub's contract. */
export async function connected(seed: Partial<Seed> = {}, options: Partial<ConnectOptions> = {}) {
  const fake = await startFakeGitHub({
    repository: REPOSITORY,
    tokens: { ours: { login: BOT, permissions: ALL }, reader: { login: BOT, permissions: { contents: 'read' } } },
    pulls: [{ number: 7, head: { sha: SHA } }],
    ...seed,
  });
  onTestFinished(async () => {
    await fake.close();
    if (fake.breaches.length > 0) throw new Error(fake.breaches.join('\n'));
  });
  const said: string[] = [];
  const connect = (token: string, more: Partial<ConnectOptions> = {}) =>
    connectGitHub({
      token,
      apiUrl: fake.url,
      repository: REPOSITORY,
      job: 'report',
      say: (line) => void said.push(line),
      ...options,
      ...more,
    });
  return { fake, world: fake.world, github: connect('ours'), connect, said };
}

/** `checks/create 201` */
export function asked({ requests }: Awaited<ReturnType<typeof startFakeGitHub>>): readonly string[] {
  return requests.map(({ operation, status }) => `${operation ?? 'nothing'} ${status}`);
}
