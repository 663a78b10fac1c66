import { runGit } from '../../system/git/run-git.ts';

/** A repository on GitHub or on a GitHub Enterprise Server. */
export interface GithubRepository {
  /** `https://github.com` */
  readonly server: string;
  /** `acme/models` */
  readonly name: string;
}

const GITHUB = 'github.com';

/**
 * The repository of the remote `origin`. Undefined: there is no such remote, or its host is not GitHub. Only github.com
 * and the hosts that the user's own environment names are, because a token is sent there.
 */
export async function findGithubRepository(folder: string): Promise<GithubRepository | undefined> {
  const remote = await runGit(folder, ['remote', 'get-url', 'origin']).catch(() => undefined);
  const found = remote?.code === 0 ? parseRemote(remote.stdout.trim()) : undefined;
  return found && isGithub(found) ? found : undefined;
}

/** `git@github.com:acme/models.git` and `https://github.com/acme/models` */
export function parseRemote(url: string): GithubRepository | undefined {
  const ssh = /^(?:ssh:\/\/)?(?:[\w.-]+@)([\w.-]+)(?::\d+)?[:/]([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(url);
  const web = /^https?:\/\/(?:[^@/]*@)?([\w.:-]+)\/([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(url);
  const [, written, name] = ssh ?? web ?? [];
  if (written === undefined || name === undefined) return undefined;
  const host = written.toLowerCase();
  return { server: `https://${host === `ssh.${GITHUB}` ? GITHUB : host}`, name };
}

function isGithub({ server }: GithubRepository): boolean {
  const { GH_HOST } = process.env;
  const named = GH_HOST ? [`https://${GH_HOST.trim().toLowerCase()}`] : [];
  return [`https://${GITHUB}`, ownServer(), ...named].includes(server);
}

/** Whether a repository is on a server that a company runs itself; not GitHub's own cloud, also with a domain of its own. */
export function isEnterpriseServer({ server }: GithubRepository): boolean {
  return server !== `https://${GITHUB}` && !server.endsWith('.ghe.com');
}

/** The server of the workflow that runs this command; elsewhere github.com. */
function ownServer(): string {
  const url = process.env['GITHUB_SERVER_URL'] || `https://${GITHUB}`;
  return url.replace(/(?<!\/)\/+$/, '').toLowerCase();
}

/** The address of GitHub's API: GITHUB_API_URL for the server of the workflow, else the one of the server. */
export function apiAddress({ server }: GithubRepository): string {
  const given = process.env['GITHUB_API_URL'];
  if (given && server === ownServer()) return given.replace(/\/$/, '');
  if (server.endsWith('.ghe.com')) return server.replace('https://', 'https://api.');
  return server === `https://${GITHUB}` ? `https://api.${GITHUB}` : `${server}/api/v3`;
}

/**
 * The token of the environment for a repository's server, as GitHub's own command reads it: GH_TOKEN is for github.com
 * and never sent to another server, unless that one runs this workflow.
 */
export function readGithubToken(repository: GithubRepository): string | undefined {
  const { server } = repository;
  const { GH_TOKEN, GITHUB_TOKEN, GH_ENTERPRISE_TOKEN, GITHUB_ENTERPRISE_TOKEN } = process.env;
  const workflow = server === ownServer() ? [GITHUB_TOKEN] : [];
  const tokens = isEnterpriseServer(repository)
    ? [GH_ENTERPRISE_TOKEN, GITHUB_ENTERPRISE_TOKEN, ...workflow, ...(workflow.length > 0 ? [GH_TOKEN] : [])]
    : [GH_TOKEN, ...workflow];
  return tokens.map((token) => token?.trim()).find((token) => token !== undefined && token !== '');
}

/** The variables from which the token for a repository is read, for messages. */
export function tokenVariables(repository: GithubRepository): string {
  return isEnterpriseServer(repository) ? 'GH_ENTERPRISE_TOKEN' : 'GH_TOKEN or GITHUB_TOKEN';
}
