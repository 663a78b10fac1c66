import { stringify } from 'yaml';
import { type Cloud, makeCredentialsAction } from './credentials.ts';
import { DOCUMENTED_CREDENTIALS, DOCUMENTED_DIGEST, DOCUMENTED_RELEASE } from './documented-files.ts';

/** The answers from which `davit init` makes the files of a project. */
export interface InitAnswers {
  readonly endpoint: EndpointAnswers | undefined;
  /** Environments on Kubernetes, in the order of deployment. None: no workflows. */
  readonly environments: readonly string[];
  /** `ghcr.io/acme/models` */
  readonly registry: string;
  /** Where the engine keeps its state: `s3://acme-davit-state`. */
  readonly state: string;
  readonly cloud: Cloud;
  /** The branch that is deployed. */
  readonly branch: string;
  /** `OWNER/davit@DIGEST`: Davit's repository and the commit of the release that workflows use. */
  readonly release: string | undefined;
}

export interface EndpointAnswers {
  readonly name: string;
  readonly model: { readonly name: string; readonly version: string; readonly uri: string | undefined };
  /** Relative to endpoints/, for editors. */
  readonly schema: string;
}

export interface PlannedFile {
  readonly path: string;
  readonly text: string;
}

/** The files that a project needs. Pure. */
export function planFiles(answers: InitAnswers, documented: ReadonlyMap<string, string>): readonly PlannedFile[] {
  const { endpoint, environments } = answers;
  const files = endpoint ? [{ path: `endpoints/${endpoint.name}.yaml`, text: renderEndpoint(endpoint) }] : [];
  if (environments.length === 0) return files;
  const settings = environments.map((name) => ({
    path: `environments/${name}.yaml`,
    text: renderEnvironment(name, answers),
  }));
  const workflows = [...documented]
    .filter(([path]) => path.startsWith('.github/workflows/'))
    .map(([path, text]) => ({ path, text: adaptWorkflow(path, text, answers) }));
  const action = makeCredentialsAction(answers.cloud, documented);
  return [
    ...files,
    ...settings,
    ...workflows,
    ...(action === undefined ? [] : [{ path: DOCUMENTED_CREDENTIALS, text: action }]),
  ];
}

function renderEndpoint({ name, model, schema }: EndpointAnswers): string {
  const entity = `${model.name.split('.').at(-1) ?? ''}-${model.version}`;
  const served = {
    name: entity,
    entity_name: model.name,
    entity_version: model.version,
    workload_size: 'Small',
    scale_to_zero_enabled: false,
  };
  const davit = model.uri === undefined ? {} : { davit: { served_entities: { [entity]: { model_uri: model.uri } } } };
  return `# yaml-language-server: $schema=${schema}\n${stringify({ name, config: { served_entities: [served] }, ...davit }, { lineWidth: 0 })}`;
}

/** The digests are those of the official images, which the user chooses; zeros are refused by nobody but the registry. */
function renderEnvironment(name: string, { registry }: InitAnswers): string {
  const digest = `sha256:${'0'.repeat(64)}`;
  return `name: ${name}
target: kubernetes
cluster: { context: ${name} } # a context of your kubeconfig
images:
  registry: ${registry}
  # Replace each digest: docker buildx imagetools inspect IMAGE:TAG shows it.
  bases: { "3.11": docker.io/library/python@${digest} }
  node: docker.io/library/node@${digest}
  envoy: docker.io/envoyproxy/envoy@${digest}
`;
}

/** The documented workflow has two environments, a state, a branch and a placeholder for the release. */
function adaptWorkflow(path: string, text: string, { environments, state, branch, release }: InitAnswers): string {
  const [first = ''] = environments;
  const last = environments.at(-1) ?? first;
  const all = text
    .replaceAll('s3://acme-davit-state', state)
    .replaceAll('branches: [main]', `branches: [${branch}]`)
    .replaceAll('staging production', environments.join(' '))
    .replaceAll('[staging, production]', `[${environments.join(', ')}]`);
  const jobs = path.endsWith('/davit-deploy.yaml') ? renameJobs(all, first, last, environments) : all;
  return release === undefined ? jobs : pinRelease(jobs, release);
}

/** One job for each environment: the first like staging, the last like production, those between like both. */
function renameJobs(text: string, first: string, last: string, environments: readonly string[]): string {
  const start = text.indexOf('  staging:\n');
  const second = text.indexOf('  production:\n');
  if (start < 0 || second < 0) return text;
  const [head, one, other] = [text.slice(0, start), text.slice(start, second), text.slice(second)];
  const jobs = environments.map((name, i) => {
    const before = environments[i - 1];
    if (before === undefined) return one.replaceAll('staging', name);
    const job = other
      .replaceAll('staging', '\0')
      .replaceAll('production', name)
      .replaceAll('as for \0', `as for ${first}`);
    const own = job.replaceAll('\0', before);
    return name === last ? own : own.replace(/^ +revert: true.*\n/m, '');
  });
  return head + jobs.join('');
}

function pinRelease(text: string, release: string): string {
  const [repository = DOCUMENTED_RELEASE, digest = DOCUMENTED_DIGEST] = release.split('@');
  return text
    .replaceAll(`@${DOCUMENTED_DIGEST} # v1.0.0`, `@${digest}`)
    .replaceAll(`${DOCUMENTED_RELEASE}/`, `${repository}/`);
}
