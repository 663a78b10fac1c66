import { apiAddress, type GithubRepository } from './github-repository.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

/** One setting on GitHub that pull requests with Davit need. */
export interface GithubSetting {
  readonly what: string;
  /** The page on which it is set. */
  readonly link: string;
  /** `unknown`: not checked, or the token may not read it. */
  readonly state: 'done' | 'missing' | 'unknown';
  /** What was found, or why nothing could be. */
  readonly found?: string;
}

export interface SettingsRequest {
  readonly repository: GithubRepository;
  /** The environments that endpoints are deployed to, in order; the last one has reviewers. */
  readonly environments: readonly string[];
  /** The branch that is deployed; GitHub's default branch counts where a token is given. */
  readonly branch: string;
  /** Environments whose file has errors, so that what they need is not known. */
  readonly unreadable?: readonly string[];
  /** Without a token nothing is checked, and every state is unknown. */
  readonly token?: string | undefined;
}

const LIMIT_MILLISECONDS = 10_000;

/** Lists the settings, and checks whether they are done where a token is given. */
export async function checkGithubSettings(request: SettingsRequest): Promise<readonly GithubSetting[]> {
  const { repository, token, unreadable = [] } = request;
  const web = `${repository.server}/${repository.name}`;
  const read = token === undefined ? undefined : makeReader(repository, token);
  const opened = read && (await openRepository(read));
  const settings = listSettings(request, opened?.branch ?? request.branch);
  const checked = settings.map(async ({ what, page, check }) => {
    const setting = { what, link: `${web}${page}` };
    if (!read) return { ...setting, state: 'unknown' as const };
    return { ...setting, ...(opened?.why === undefined ? await look(check, read) : unknown(opened.why)) };
  });
  const skipped = unreadable.map((name) => ({
    what: `The environment "${name}"`,
    link: `${web}/settings/environments`,
    ...unknown(`environments/${name}.yaml has errors, run npx davit check`),
  }));
  return [...(await Promise.all(checked)), ...skipped];
}

interface OpenedRepository {
  readonly branch?: string;
  /** Why nothing of the repository can be read. */
  readonly why?: string;
}

/** GitHub answers 404 for a private repository that the token may not read, and for everything in it. */
async function openRepository(read: Read): Promise<OpenedRepository> {
  try {
    const found = await read('');
    if (!found)
      return { why: 'GitHub answers 404 for the repository: it does not exist, or the token may not read it' };
    const branch = found['default_branch'];
    return typeof branch === 'string' ? { branch } : {};
  } catch (e) {
    return { why: readErrorMessage(e) };
  }
}

function unknown(found: string): Pick<GithubSetting, 'state' | 'found'> {
  return { state: 'unknown', found };
}

type Fields = Readonly<Record<string, unknown>>;
/** Undefined: there is no such object. */
type Read = (path: string) => Promise<Fields | undefined>;
/** Returns what is missing; undefined: nothing. */
type Check = (read: Read) => Promise<string | undefined>;

interface Setting {
  readonly what: string;
  readonly page: string;
  readonly check: Check;
}

function listSettings({ environments }: SettingsRequest, branch: string): readonly Setting[] {
  const last = environments.at(-1);
  const all = ['preview', ...environments];
  return [
    ...all.map((name) => ({
      what: `The environment "${name}" with the secret PULUMI_CONFIG_PASSPHRASE${name === last ? ', reviewers' : ''}${name === 'preview' ? '' : `, only for the branch ${branch}`}`,
      page: '/settings/environments',
      check: checkEnvironment(name, { reviewers: name === last, branches: name !== 'preview' }),
    })),
    {
      what: `A rule of the branch ${branch}: pull requests, the required check "davit", code owners`,
      page: '/settings/rules',
      check: checkRules(branch),
    },
    {
      what: 'The file CODEOWNERS, with owners of .github/, environments/ and Pulumi*.yaml',
      page: `/new/${branch}?filename=.github/CODEOWNERS`,
      check: checkOwners,
    },
    { what: 'The label "davit: destroy"', page: '/labels', check: checkLabel },
    {
      what: 'Allow GitHub Actions to create and approve pull requests (for the input revert)',
      page: '/settings/actions',
      check: checkActions,
    },
  ];
}

function checkEnvironment(name: string, wanted: { readonly reviewers: boolean; readonly branches: boolean }): Check {
  return async (read) => {
    const path = `/environments/${encodeURIComponent(name)}`;
    const found = await read(path);
    if (!found) return 'there is no such environment';
    const rules = asList(found['protection_rules']).map((rule) => rule['type']);
    const secrets = asList((await readOrThrow(read, `${path}/secrets`))['secrets']).map((secret) => secret['name']);
    const missing = [
      ...(secrets.includes('PULUMI_CONFIG_PASSPHRASE') ? [] : ['the secret PULUMI_CONFIG_PASSPHRASE']),
      ...(wanted.reviewers && !rules.includes('required_reviewers') ? ['reviewers'] : []),
      ...(wanted.branches && found['deployment_branch_policy'] == null ? ['the restriction to a branch'] : []),
    ];
    return missing.length === 0 ? undefined : `it lacks ${missing.join(', ')}`;
  };
}

function checkRules(branch: string): Check {
  return async (read) => {
    const rules = asList(await readOrThrow(read, `/rules/branches/${encodeURIComponent(branch)}`));
    const of = (type: string) => rules.filter((r) => r['type'] === type).map((r) => asFields(r['parameters']));
    const checks = of('required_status_checks').flatMap((p) => asList(p['required_status_checks']));
    const missing = [
      ...(of('pull_request').length > 0 ? [] : ['pull requests']),
      ...(checks.some((c) => String(c['context']).startsWith('davit')) ? [] : ['the required check "davit"']),
      ...(of('pull_request').some((p) => p['require_code_owner_review'] === true) ? [] : ['reviews of code owners']),
    ];
    return missing.length === 0 ? undefined : `no rule requires ${missing.join(', ')}`;
  };
}

const OWNERS = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'];

const checkOwners: Check = async (read) => {
  const found = await Promise.all(OWNERS.map((path) => read(`/contents/${path}`)));
  return found.some((file) => file !== undefined) ? undefined : 'there is no such file';
};

const checkLabel: Check = async (read) =>
  (await read(`/labels/${encodeURIComponent('davit: destroy')}`)) ? undefined : 'there is no such label';

const checkActions: Check = async (read) =>
  (await readOrThrow(read, '/actions/permissions/workflow'))['can_approve_pull_request_reviews'] === true
    ? undefined
    : 'it is not allowed';

/** For what every repository has: GitHub answers 404 where a token may not read it. */
async function readOrThrow(read: Read, path: string): Promise<Fields> {
  const found = await read(path);
  if (found) return found;
  throw new Error('GitHub answers 404: the token may not read it');
}

async function look(check: Check, read: Read): Promise<Pick<GithubSetting, 'state' | 'found'>> {
  try {
    const missing = await check(read);
    return missing === undefined ? { state: 'done' } : { state: 'missing', found: missing };
  } catch (e) {
    return unknown(readErrorMessage(e));
  }
}

function makeReader(repository: GithubRepository, token: string): Read {
  const base = `${apiAddress(repository)}/repos/${repository.name}`;
  return async (path) => {
    const response = await fetch(`${base}${path}`, {
      headers: { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json' },
      signal: AbortSignal.timeout(LIMIT_MILLISECONDS),
    }).catch((e: unknown) => {
      throw new Error(`GitHub cannot be reached: ${readErrorMessage(e)}`, { cause: e });
    });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`GitHub answers ${response.status}: the token may not read it`);
    return (await response.json()) as Fields;
  };
}

function asFields(value: unknown): Fields {
  return value !== null && typeof value === 'object' ? (value as Fields) : {};
}

function asList(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(asFields) : [];
}
