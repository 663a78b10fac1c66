import { findProjectBackend } from '../../engine/engine-project.ts';
import { readCredentials } from '../../images/docker-credentials.ts';
import { connectCluster } from '../../kubernetes/client/connect.ts';
import { hasErrors } from '../../schemas/diagnostic.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import {
  listEndpoints,
  listEnvironments,
  type ProjectFolders,
  readEnvironment,
  readLockText,
} from '../../schemas/read-project.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { checkFiles } from '../check-files.ts';
import { findGithubRepository, readGithubToken, tokenVariables } from '../init/github-repository.ts';
import { checkGithubSettings } from '../init/github-settings.ts';
import { findDefaultBranch } from '../init/repository-folders.ts';
import type { Check, Finding } from './check.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

/** What a project has and lacks, and what its environments need. */
export async function listProjectChecks(place: ProjectFolders, wanted: string | undefined): Promise<readonly Check[]> {
  const names = wanted === undefined ? await listEnvironments(place) : [wanted];
  const read = await Promise.all(names.map((name) => readEnvironment(place, name)));
  const clusters = read.flatMap(({ value }) => (value?.target === 'kubernetes' ? [value] : []));
  const unknown = wanted !== undefined && read[0]?.value === undefined ? (read[0]?.diagnostics ?? []) : [];
  return [
    { name: 'files', run: () => checkAllFiles(place) },
    { name: 'locks', run: () => checkLocks(place) },
    { name: 'state', run: () => checkBackend(place) },
    ...unknown.map((d) => ({ name: `environment ${wanted ?? ''}`, run: () => makeMissing(d.message, d.hint) })),
    ...clusters.flatMap((environment) =>
      listClusterChecks(environment, place.root).map((check) => (wanted === undefined ? makeLenient(check) : check)),
    ),
    {
      name: 'GitHub',
      run: () =>
        checkGithub(
          place,
          clusters.map((c) => c.name),
          names.filter((_, i) => read[i]?.value === undefined),
        ),
    },
  ];
}

/** An environment that the command does not name may be deployed to from other machines only. */
function makeLenient({ name, run }: Check): Check {
  return {
    name,
    run: async () => {
      const finding = await run();
      return finding.state === 'missing' ? { ...finding, state: 'warning' } : finding;
    },
  };
}

function makeMissing(found: string, repair?: string): Finding {
  return { state: 'missing', found, ...(repair !== undefined && { repair }) };
}

async function checkAllFiles({ root, endpoints }: ProjectFolders): Promise<Finding> {
  const { files, diagnostics } = await checkFiles([], { cwd: root, root: () => root, endpoints });
  const found = pluralize(files.length, 'endpoint file');
  if (!hasErrors(diagnostics)) return { state: 'fine', found };
  return makeMissing(
    `${found}, ${pluralize(diagnostics.filter((d) => d.severity === 'error').length, 'error')}`,
    'npx davit check',
  );
}

async function checkLocks(place: ProjectFolders): Promise<Finding> {
  const names = await listEndpoints(place);
  const locks = await Promise.all(names.map((name) => readLockText(place, name)));
  const without = names.filter((_, i) => locks[i] === undefined);
  if (without.length === 0) return { state: 'fine', found: `of ${pluralize(names.length, 'endpoint')}` };
  return { state: 'warning', found: `none for ${without.join(', ')}`, repair: `npx davit lock ${without.join(' ')}` };
}

async function checkBackend({ root }: ProjectFolders): Promise<Finding> {
  const { url, isOwn } = await findProjectBackend(root);
  if (isOwn) return { state: 'fine', found: 'a folder below .davit/, because no backend is set' };
  if (url !== undefined) return { state: 'fine', found: url.replace(/\/\/[^/@]*@/, '//') };
  const found = 'no backend is set, so the login of pulumi counts';
  return {
    state: 'warning',
    found,
    repair: 'export PULUMI_BACKEND_URL=s3://BUCKET, or set backend.url in Pulumi.yaml',
  };
}

function listClusterChecks(environment: KubernetesEnvironment, root: string): readonly Check[] {
  const { name, images } = environment;
  const registry = images.registry.split('/')[0] ?? '';
  return [
    { name: `cluster of ${name}`, run: () => checkConnection(environment, root) },
    { name: `Docker for ${name}`, run: () => checkDocker(images.dockerHost) },
    {
      name: `registry of ${name}`,
      run: async () => {
        const credentials = await readCredentials(registry);
        if (credentials) return { state: 'fine', found: `signed in to ${registry}` };
        return { state: 'warning', found: `not signed in to ${registry}`, repair: `docker login ${registry}` };
      },
    },
  ];
}

async function checkDocker(host: string | undefined): Promise<Finding> {
  const env = { ...makeChildEnvironment(), ...(host !== undefined && { DOCKER_HOST: host }) };
  const args = ['version', '--format', '{{.Server.Version}}'];
  const ran = await runProcess('docker', args, { env, limitSeconds: 5 }).catch(() => undefined);
  if (ran?.code === 0) return { state: 'fine', found: `Docker ${ran.stdout.trim()}` };
  const why = ran === undefined ? 'there is no docker on the PATH' : 'the Docker daemon does not answer';
  return makeMissing(why, 'https://docs.docker.com/engine/install, or images.docker_host of the environment');
}

interface ReviewedAccess {
  readonly status?: { readonly allowed?: boolean };
}

/** What a deployment changes in the namespace of the models. */
const NEEDED_RIGHTS = [
  { group: 'serving.knative.dev', resource: 'services', verb: 'create' },
  { group: 'serving.knative.dev', resource: 'services', verb: 'patch' },
  { group: '', resource: 'configmaps', verb: 'create' },
  { group: '', resource: 'pods/log', verb: 'get' },
] as const;

async function checkConnection(environment: KubernetesEnvironment, root: string): Promise<Finding> {
  try {
    return await checkCluster(environment, root);
  } catch (e) {
    const { context } = environment.cluster;
    const why = readErrorMessage(e).split('\n')[0] ?? '';
    return makeMissing(why, `kubectl ${context === undefined ? '' : `--context ${context} `}get nodes`);
  }
}

async function checkCluster({ cluster, namespace }: KubernetesEnvironment, root: string): Promise<Finding> {
  const api = await connectCluster(cluster, root, { readSeconds: 4, signal: AbortSignal.timeout(8000) });
  const version = await api.get<{ readonly gitVersion?: string }>('/version');
  const rights = await Promise.all(
    NEEDED_RIGHTS.map(async (right) => {
      const [resource, subresource] = right.resource.split('/');
      const attributes = { namespace, group: right.group, verb: right.verb, resource, subresource };
      const answer = await api.create<ReviewedAccess>('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        ...{ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' },
        spec: { resourceAttributes: attributes },
      });
      return answer.status?.allowed === true ? [] : [`${right.verb} ${right.resource}`];
    }),
  );
  const found = `Kubernetes ${version?.gitVersion ?? ''}`;
  const missing = rights.flat();
  if (missing.length === 0) return { state: 'fine', found };
  const repair = `kubectl auth can-i --list -n ${namespace}`;
  return makeMissing(`${found}, without the right to ${missing.join(', ')} in ${namespace}`, repair);
}

async function checkGithub(
  { root }: ProjectFolders,
  environments: readonly string[],
  unreadable: readonly string[],
): Promise<Finding> {
  const repository = await findGithubRepository(root);
  if (!repository) return { state: 'skipped', found: 'no remote "origin" on GitHub' };
  const token = readGithubToken(repository);
  const repair = 'npx davit init --check-github';
  if (token === undefined)
    return { state: 'skipped', found: `${repository.name}; not checked without ${tokenVariables(repository)}`, repair };
  const settings = await checkGithubSettings({
    ...{ repository, environments, unreadable, token },
    branch: await findDefaultBranch(root),
  });
  const missing = settings.filter((s) => s.state === 'missing').length;
  const unknown = settings.filter((s) => s.state === 'unknown');
  if (missing === 0 && unknown.length === 0) return { state: 'fine', found: repository.name };
  if (missing === 0) {
    const why = unknown[0]?.found ?? '';
    return { state: 'warning', found: `${unknown.length} settings of ${repository.name} not checked: ${why}`, repair };
  }
  return { state: 'warning', found: `${repository.name} lacks ${missing} of ${settings.length} settings`, repair };
}
