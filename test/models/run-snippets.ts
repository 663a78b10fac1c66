// Takes the snippets of Databricks' page on custom models from an MLflow server with a registry to answers of an endpoint.
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { makeWorkingProject } from '../cli/working-project.ts';
import { makePythonPackages } from '../helpers/python-packages.ts';
import { startMlflowServer } from '../validation/model/mlflow-server.ts';
import { countAnswers, deploySnippets, SNIPPETS, type SnippetEnd } from './deploy-snippets.ts';

const HELP = `Logs the nine snippets of Databricks' page on custom models to an MLflow server, and deploys them from its registry.

  node bin/launch.mjs test/models/run-snippets.ts

  --only a,b           Only these: ${Object.keys(SNIPPETS).slice(0, 5).join(', ')},
                       ${Object.keys(SNIPPETS).slice(5).join(', ')}
  --environment FILE   Deploy to this environment, such as environments/prod.yaml; default: the local target
  --json               Print one JSON document instead of a table
  --help               Print this help

Each runs through davit lock, davit validate, davit up and davit query. A refused snippet is also deployed with the repair that
Davit names. Exit code 1: a snippet does not end as expected.
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    environment: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const names = values.only?.split(',') ?? Object.keys(SNIPPETS);
const unknown = names.find((name) => !(name in SNIPPETS));
const progress = { say: (line: string) => void process.stderr.write(`${line}\n`) };
if (values.help) process.stdout.write(HELP);
else if (unknown !== undefined) {
  process.stderr.write(`Cannot run the snippet "${unknown}": expected names that --help prints\n`);
  process.exitCode = 2;
} else process.exitCode = await run();

async function run(): Promise<number> {
  progress.say('Starting an MLflow server…');
  const server = await startMlflowServer();
  const project = await makeWorkingProject({});
  try {
    Object.assign(process.env, server.variables);
    const environment = await addEnvironment(project.root);
    const errors = await logSnippets(server.variables);
    const ends = await deploySnippets(errors, { root: project.root, environment, progress });
    process.stdout.write(values.json ? `${JSON.stringify(ends, null, 2)}\n` : ends.map(render).join(''));
    const { asTheyStand, repaired } = countAnswers(ends);
    progress.say(`${asTheyStand} snippets answer as they stand, and ${repaired} with a repair`);
    return ends.every((end) => end.isExpected) ? 0 : 1;
  } finally {
    await project.remove();
    await server.stop();
  }
}

/** Logs and registers each snippet. Returns the error of each, or null. */
async function logSnippets(variables: NodeJS.ProcessEnv): Promise<Readonly<Record<string, string | null>>> {
  const packages = ['mlflow==3.17.2', 'scikit-learn'];
  const python = await makePythonPackages({ name: 'models-snippets-1', packages, imports: 'mlflow, sklearn' });
  const folder = await mkdtemp(join(tmpdir(), 'davit-snippets-'));
  const program = join(import.meta.dirname, 'log_snippets.py');
  const env = makeChildEnvironment({ ...variables, MLFLOW_DISABLE_TELEMETRY: 'true', PYTHONWARNINGS: 'ignore' });
  progress.say(`Logging ${names.length} snippets…`);
  const { code, stdout, stderr } = await runProcess(python, [program, ...names], { cwd: folder, env });
  await rm(folder, { recursive: true });
  if (code !== 0) throw new Error(`Cannot log the snippets\n${stderr.slice(-2000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Readonly<Record<string, string | null>>;
}

/** Copies the file of --environment into the project, and returns the environment's name. */
async function addEnvironment(root: string): Promise<string> {
  const file = values.environment;
  if (file === undefined) return 'local';
  await cp(file, join(root, 'environments', basename(file)));
  return (parse(await readFile(file, 'utf8')) as { readonly name: string }).name;
}

function render({ snippet, ended, says }: SnippetEnd): string {
  const lines = says.map((line) => `    ${line.replaceAll('\n', '\n    ')}\n`);
  return `${snippet.padEnd(34)}${ended}\n${lines.join('')}`;
}
