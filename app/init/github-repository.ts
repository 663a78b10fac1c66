import { runGit } from '../../system/run-git.ts';

/** A repository on GitHub or on a GitHub Enterprise Server. */
export interface GithubRepository {
  /** `https://github.com` */
  readonly server: string;
  /** `acme/models` */
  readonly name: string;
}

/** The repository of the remote `origin`. Undefined: there is no such remote, or it is a folder. */
export async function findGithubRepository(folder: string): Promise<GithubRepository | undefined> {
  const remote = await runGit(folder, ['remote', 'get-url', 'origin']).catch(() => undefined);
  return remote?.code === 0 ? parseRemote(remote.stdout.trim()) : undefined;
}

/** `git@github.com:acme/models.git` and `https://github.com/acme/models` */
export function parseRemote(url: string): GithubRepository | undefined {
  const ssh = /^(?:ssh:\/\/)?(?:[\w.-]+@)([\w.-]+)(?::\d+)?[:/]([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(url);
  const web = /^https?:\/\/(?:[^@/]*@)?([\w.:-]+)\/([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(url);
  const [, host, name] = ssh ?? web ?? [];
  return host === undefined || name === undefined ? undefined : { server: `https://${host}`, name };
}

/** The address of GitHub's API: GITHUB_API_URL in a workflow, else the one of the server. */
export function apiAddress({ server }: GithubRepository): string {
  const given = process.env['GITHUB_API_URL'];
  if (given !== undefined && given !== '') return given.replace(/\/$/, '');
  return server === 'https://github.com' ? 'https://api.github.com' : `${server}/api/v3`;
}

/** The token of the environment, as GitHub's own command reads it. */
export function readGithubToken(): string | undefined {
  const token = process.env['GH_TOKEN'] ?? process.env['GITHUB_TOKEN'];
  return token === undefined || token.trim() === '' ? undefined : token.trim();
}
