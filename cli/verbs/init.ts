import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Cloud, CLOUDS } from '../../app/init/credentials.ts';
import { parseEnvironmentNames } from '../../app/init/environment-names.ts';
import {
  findGithubRepository,
  type GithubRepository,
  isEnterpriseServer,
  readGithubToken,
  tokenVariables,
} from '../../app/init/github-repository.ts';
import { checkGithubSettings } from '../../app/init/github-settings.ts';
import { initProject, type InitializedProject, renderSettings } from '../../app/init/init-project.ts';
import { listKubernetesEnvironments } from '../../app/init/list-kubernetes-environments.ts';
import { type EndpointAnswers, type InitAnswers, PLACEHOLDERS } from '../../app/init/plan-files.ts';
import { findDefaultBranch, findProjectInRepository } from '../../app/init/repository-folders.ts';
import { ModelAnswerError, readModelAnswer } from '../../app/init/read-model-answer.ts';
import { listEndpoints } from '../../schemas/read-project.ts';
import { codePath } from '../../system/code.ts';
import { openQuestions } from '../ask.ts';
import { type Command, type Context, type Outcome, UsageError } from '../command.ts';
import { findProjectToExtend } from '../find-project-root.ts';
import { oneOf, textOption } from '../parse-arguments.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
const ADDRESS = /^[\w.:/-]+$/;
const STATE = /^[a-z0-9+.-]+:\/\/[\w.:/?=&@~-]+$/i;
const RELEASE = /^[\w.-]+\/[\w.-]+@[0-9a-f]{40}$/;

export const init: Command = {
  summary: 'Make the files of a project: a first endpoint, environments, the workflows of GitHub',
  usage: '',
  help: 'Asks on a terminal; elsewhere options answer. A file that exists is never changed, so running it again changes nothing.\nIt ends with a list of what is left to do, with links.\n\n  davit init --model models/iris/2\n  davit init --model models:/iris/2 --environments "staging production" --registry ghcr.io/acme/models --state s3://acme-state --cloud aws\n  davit init --check-github',
  options: {
    model: { type: 'string', value: 'PATH|URI', help: 'The model of the first endpoint' },
    name: { type: 'string', value: 'NAME', help: "The first endpoint's name; default: the model's" },
    environments: {
      type: 'string',
      value: 'NAMES',
      help: 'Environments on Kubernetes, in the order of deployment; "" for none',
    },
    registry: { type: 'string', value: 'ADDRESS', help: 'Where images go: ghcr.io/acme/models' },
    state: { type: 'string', value: 'URL', help: 'Where the state of deployments is kept: s3://, gs:// or azblob://' },
    cloud: { type: 'string', value: 'CLOUD', help: `How jobs log in: ${CLOUDS.join(', ')}` },
    davit: { type: 'string', value: 'RELEASE', help: 'OWNER/davit@COMMIT that the workflows use' },
    'enterprise-server': {
      type: 'boolean',
      help: 'Write workflows for a GitHub Enterprise Server; default: where "origin" is on GH_HOST',
    },
    'check-github': {
      type: 'boolean',
      help: 'Only check the settings on GitHub (GH_TOKEN or GITHUB_TOKEN)',
    },
  },
  args: { min: 0, max: 0 },
  run: runInit,
};

async function runInit(context: Context): Promise<Outcome> {
  const root = findProjectToExtend(context.cwd, context.options);
  const repository = await findGithubRepository(root);
  if (context.options['check-github'] === true) return checkGithub(context, root, repository);
  const isNamed = context.options['enterprise-server'] === true;
  const enterpriseServer = isNamed || (repository !== undefined && isEnterpriseServer(repository));
  const answers = { ...(await readAnswers(context, root)), enterpriseServer };
  const made = await initProject(root, answers);
  const { branch } = answers;
  const place = { root, endpoints: 'endpoints' };
  const environments =
    answers.environments.length > 0 ? answers.environments : (await listKubernetesEnvironments(place)).all;
  const none = environments.length === 0;
  const settings = repository && !none ? await checkGithubSettings({ repository, environments, branch }) : [];
  const where = root === context.cwd ? [] : [`The project is ${root}`];
  const shown = repository || none ? renderSettings(settings) : NO_GITHUB;
  const text = [...where, renderInit(made, { none, settings: shown })].join('\n');
  return { diagnostics: [], result: { root, ...made, settings }, text };
}

const NO_GITHUB =
  'The remote "origin" is not on GitHub yet. With git remote add origin URL, npx davit init lists the settings that it needs';

async function checkGithub(context: Context, root: string, repository: GithubRepository | undefined): Promise<Outcome> {
  if (!repository)
    throw new UsageError(
      'Cannot check the settings on GitHub: the remote "origin" is not on github.com, expected a repository there, or GH_HOST=HOST for a GitHub Enterprise Server',
    );
  const token = readGithubToken(repository);
  if (token === undefined)
    throw new UsageError(
      `Cannot check the settings on ${repository.server} without a token: expected ${tokenVariables(repository)} (gh auth token)`,
    );
  const given = splitNames(textOption(context.options, 'environments'));
  const { names, unreadable } = given
    ? { names: given, unreadable: [] }
    : await listKubernetesEnvironments({ root, endpoints: 'endpoints' });
  const settings = await checkGithubSettings({
    ...{ repository, environments: names, unreadable, token },
    branch: await findDefaultBranch(root),
  });
  const isDone = settings.every((s) => s.state === 'done');
  return {
    diagnostics: [],
    result: { repository: repository.name, settings },
    text: renderSettings(settings),
    failed: !isDone,
  };
}

/** Returns an answer: from an option, else from a person at a terminal, else the default. */
type Ask = (option: string, question: string, otherwise: string) => Promise<string>;

async function readAnswers(context: Context, root: string): Promise<Omit<InitAnswers, 'enterpriseServer'>> {
  const questions = openQuestions();
  const ask: Ask = async (option, question, otherwise) => {
    const given = context.options[option];
    if (typeof given === 'string') return given.trim();
    return questions ? questions.ask(question, otherwise) : otherwise;
  };
  try {
    const endpoint = await readEndpointAnswer(context, root, ask);
    const environments =
      splitNames(
        await ask('environments', 'Environments on Kubernetes, in the order of deployment (empty: none)', ''),
      ) ?? [];
    return {
      endpoint,
      environments,
      ...(await readDeploymentAnswers(context, environments, ask)),
      branch: await findDefaultBranch(root),
      project: await findProjectInRepository(root),
    };
  } finally {
    questions?.close();
  }
}

async function readEndpointAnswer(
  { options, cwd }: Context,
  root: string,
  ask: Ask,
): Promise<EndpointAnswers | undefined> {
  const existing = await listEndpoints({ root, endpoints: 'endpoints' });
  if (existing.length > 0 && options['model'] === undefined) return undefined;
  const written = await ask('model', 'The model: a directory with MLmodel, or a URI such as models:/iris/2', '');
  if (written === '')
    throw new UsageError('Cannot make the first endpoint without a model: expected --model PATH or --model URI');
  const model = readModel(written, root, cwd);
  const name = await ask('name', 'Name of the endpoint', (model.name.split('.').at(-1) ?? model.name).toLowerCase());
  if (!NAME.test(name))
    throw new UsageError(
      `Cannot use "${name}" as the name of an endpoint: expected 1 to 63 letters, digits, "-" or "_"`,
    );
  return { name, model, schema: locateSchema(root) };
}

function readModel(written: string, root: string, cwd: string): EndpointAnswers['model'] {
  try {
    return readModelAnswer(written, { root, cwd });
  } catch (e) {
    throw e instanceof ModelAnswerError ? new UsageError(e.message) : e;
  }
}

async function readDeploymentAnswers({ options }: Context, environments: readonly string[], ask: Ask) {
  const release = textOption(options, 'davit');
  if (release !== undefined && !RELEASE.test(release))
    throw new UsageError(
      `Cannot use "${release}" for --davit: expected OWNER/davit@COMMIT with the 40 digits of a commit`,
    );
  if (environments.length === 0) return { registry: '', state: '', cloud: 'none' as const, release };
  const registry = await ask('registry', 'Registry of the images', PLACEHOLDERS.registry);
  const state = await ask('state', 'State of deployments', PLACEHOLDERS.state);
  if (!ADDRESS.test(registry)) throw new UsageError(`Cannot use "${registry}" as a registry: expected HOST/PATH`);
  if (!STATE.test(state))
    throw new UsageError(`Cannot use "${state}" for the state: expected s3://, gs:// or azblob://`);
  const cloud = await ask('cloud', `Cloud that jobs log in to (${CLOUDS.join(', ')})`, 'none');
  return { registry, state, cloud: oneOf<Cloud>({ cloud }, 'cloud', CLOUDS) ?? 'none', release };
}

function splitNames(text: string | undefined): readonly string[] | undefined {
  const { names, why } = text === undefined ? {} : parseEnvironmentNames(text);
  if (why !== undefined) throw new UsageError(why);
  return names;
}

/** In this project's node_modules, or the checkout that the project is in. */
function locateSchema(root: string): string {
  const own = codePath('schemas', 'endpoint.schema.json');
  const near = relative(join(root, 'endpoints'), own);
  return existsSync(own) && !relative(root, own).startsWith('..')
    ? near
    : '../node_modules/davit/schemas/endpoint.schema.json';
}

interface RenderedParts {
  /** There is no environment on Kubernetes. */
  readonly none: boolean;
  readonly settings: string;
}

function renderInit({ files, left }: InitializedProject, { none, settings }: RenderedParts): string {
  const written = files.filter((f) => f.state === 'written').map((f) => `written  ${f.path}`);
  const kept = files.filter((f) => f.state === 'exists').map((f) => `exists   ${f.path}`);
  const reason = none
    ? 'the project has endpoints. For environments and workflows: npx davit init --environments "staging production"'
    : 'every file exists already';
  const head = written.length === 0 ? [`Nothing was changed: ${reason}`] : [];
  const todo = left.length === 0 ? [] : ['', 'Left to do:', ...left.map((line) => `- ${line}`)];
  const github = settings === '' ? [] : ['', 'On GitHub (npx davit init --check-github checks it):', settings];
  return [...head, ...written, ...kept, ...todo, ...github].join('\n');
}
