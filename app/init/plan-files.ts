import { parse, stringify } from 'yaml';
import { type Cloud, makeCredentialsAction } from './credentials.ts';
import { isCalledWorkflow } from './enterprise-server.ts';
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
  /** The project's folder in the repository, such as `services/fraud`; empty: the repository itself. */
  readonly project: string;
  /** Whether the repository is on a GitHub Enterprise Server. */
  readonly enterpriseServer: boolean;
}

/** The answers where nobody gave one: to be replaced in the files. */
export const PLACEHOLDERS = { registry: 'ghcr.io/OWNER/models', state: 's3://BUCKET' } as const;

/** The digest of no image: to be replaced in environments. */
export const ZERO_DIGEST = `sha256:${'0'.repeat(64)}`;

export interface EndpointAnswers {
  readonly name: string;
  readonly model: { readonly name: string; readonly version: string; readonly uri: string | undefined };
  /** Relative to endpoints/, for editors. */
  readonly schema: string;
}

export interface PlannedFile {
  /** Relative to the project, or to the repository for files of GitHub, which it reads only there. */
  readonly path: string;
  readonly atRepositoryRoot: boolean;
  readonly text: string;
}

/** The files that a project needs. Pure. */
export function planFiles(answers: InitAnswers, documented: ReadonlyMap<string, string>): readonly PlannedFile[] {
  const { endpoint, environments } = answers;
  const files = endpoint
    ? [{ path: `endpoints/${endpoint.name}.yaml`, text: renderEndpoint(endpoint), atRepositoryRoot: false }]
    : [];
  if (environments.length === 0) return files;
  const settings = environments.map((name) => ({
    path: `environments/${name}.yaml`,
    text: renderEnvironment(name, answers),
    atRepositoryRoot: false,
  }));
  const workflows = [...documented]
    .filter(([path]) => path.startsWith('.github/workflows/'))
    .map(([path, text]) => ({
      path: isCalledWorkflow(path) ? path : workflowPath(path, answers.project),
      text: isCalledWorkflow(path) ? pinRelease(text, answers.release) : adaptWorkflow(path, text, answers),
      atRepositoryRoot: true,
    }));
  const action = makeCredentialsAction(answers.cloud, documented);
  return [
    ...files,
    ...settings,
    ...workflows,
    ...(action === undefined ? [] : [{ path: DOCUMENTED_CREDENTIALS, text: action, atRepositoryRoot: true }]),
  ];
}

function renderEndpoint({ name, model, schema }: EndpointAnswers): string {
  const entity = `${model.name.split('.').at(-1) ?? ''}-${model.version.replace(/^@/, '')}`;
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

/** The user replaces the digests by those of the official images. Only the registry refuses the zeros. */
function renderEnvironment(name: string, { registry }: InitAnswers): string {
  return `name: ${JSON.stringify(name)}
target: kubernetes
cluster: { context: ${JSON.stringify(name)} } # a context of your kubeconfig
images:
  registry: ${registry}
  # Replace each digest: docker buildx imagetools inspect IMAGE:TAG shows it.
  bases: { "3.11": docker.io/library/python:3.11-slim@${ZERO_DIGEST} }
  node: docker.io/library/node@${ZERO_DIGEST}
  envoy: docker.io/envoyproxy/envoy@${ZERO_DIGEST}
`;
}

/** The documented workflow has two environments, a state, a branch and a placeholder for the release. */
function adaptWorkflow(path: string, text: string, answers: InitAnswers): string {
  const { environments, state, branch, release, project } = answers;
  const [first = ''] = environments;
  const last = environments.at(-1) ?? first;
  const all = text
    .replaceAll('s3://acme-davit-state', state)
    .replaceAll('branches: [main]', `branches: [${quoteBranch(branch)}]`)
    .replaceAll('staging production', environments.join(' '))
    .replaceAll('[staging, production]', `[${environments.join(', ')}]`);
  const jobs = path.endsWith('/davit-deploy.yaml') ? renameJobs(all, first, last, environments) : all;
  const own = project === '' ? jobs : moveWorkflow(path, jobs, project);
  return pinRelease(own, release);
}

/** A filter of branches is a pattern, so characters with a meaning there are escaped, and then YAML needs quotes. */
function quoteBranch(branch: string): string {
  const pattern = branch.replaceAll(/[*+?![\]\\]/g, '\\$&');
  return /^[A-Za-z][\w./-]*$/.test(pattern) && parse(pattern, { version: '1.1' }) === pattern
    ? pattern
    : JSON.stringify(pattern);
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

function pinRelease(text: string, release: string | undefined): string {
  if (release === undefined) return text;
  const [repository = DOCUMENTED_RELEASE, digest = DOCUMENTED_DIGEST] = release.split('@');
  return text
    .replaceAll(`@${DOCUMENTED_DIGEST} # v1.0.0`, `@${digest}`)
    .replaceAll(`${DOCUMENTED_RELEASE}/`, `${repository}/`);
}

/** Where the workflows of a project are: GitHub reads those at the root of the repository only. */
export function workflowPath(documented: string, project: string): string {
  return project === '' ? documented : documented.replace('/davit-', `/davit-${slug(project)}-`);
}

function slug(project: string): string {
  return project.replaceAll(/[^\w.-]+/g, '-');
}

/** What two projects of one repository must not share: names of workflows, groups of concurrency, the input `project`. */
function moveWorkflow(path: string, text: string, project: string): string {
  const input = `project: ${JSON.stringify(project)}`;
  const title = (name: string) => JSON.stringify(`${name} (${project})`);
  return text
    .replace(`# ${path}`, () => `# ${workflowPath(path, project)}`)
    .replace(/^name: (Davit .+)$/m, (_, name: string) => `name: ${title(name)}`)
    .replace(
      /^( +)workflows: \[(Davit [\w ]+)\]$/m,
      (_, indent: string, name: string) => `${indent}workflows: [${title(name)}]`,
    )
    .replace(/^( +group: "?)davit-/m, (_, start: string) => `${start}davit-${slug(project)}-`)
    .replaceAll(/^( {4}with:) \{ /gm, (_, start: string) => `${start} { ${input}, `)
    .replaceAll(/^( {4}with:)\n/gm, (_, start: string) => `${start}\n      ${input}\n`)
    .replaceAll(/^( {4}uses: .+\n)(?! {4}with:)/gm, (_, uses: string) => `${uses}    with: { ${input} }\n`);
}
