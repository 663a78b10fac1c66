/** The query of the README. */
const QUERY = `npx davit query iris --data '{"dataframe_records": [{"sepal length (cm)": 5.1, "sepal width (cm)": 3.5, "petal length (cm)": 1.4, "petal width (cm)": 0.2}]}'`;

/**
 * What commands.real.test.ts runs in one project, in this order: before the deployment, and while the endpoint serves.
 * Each is in a document, word by word.
 */
export const RUN_FOR_REAL: readonly [before: readonly string[], deployed: readonly string[]] = [
  [
    'npx davit doctor',
    'npx davit validate --model models/iris/2',
    'npx davit lock iris',
    'npx davit lock --check iris',
    'npx davit validate iris',
    'npx davit sbom iris',
    'npx davit up iris',
  ],
  [
    'npx davit preview iris',
    QUERY,
    'npx davit status',
    'npx davit logs iris',
    'npx davit logs iris --entity iris --build',
    'eval "$(npx davit env)"\npulumi -C .davit/engine preview -s iris.local',
    'npx davit down iris',
  ],
];

/** What stands for a value of the reader's own. */
export const PLACEHOLDERS: Readonly<Record<string, string>> = {
  FILE: 'fraud.json',
  'davit@COMMIT': `davit@${'0'.repeat(40)}`,
};

/** Verbs that take no second and need nothing else: commands.test.ts runs each of their commands in a new project. */
export const CHEAP_VERBS: readonly string[] = ['check', 'explain', 'show', 'fmt', 'import', 'init', 'cache'];

/**
 * Commands that are too expensive to run once more: the test that runs this verb with these options, and a text in it.
 * The key is the verb with `NAME` for names and its options, sorted.
 */
export const RUN_ELSEWHERE: Readonly<Record<string, readonly [file: string, text: string]>> = {
  'init --check-github': ['test/app/init/init.test.ts', 'checkGithubSettings('],
  'audit NAME': ['test/validation/advisories/advisories.test.ts', 'checkAdvisories()'],
  'cache --older-than --prune': ['test/app/cache/cache.test.ts', 'pruneByAge('],
  'doctor --environment': ['test/app/init/init.test.ts', 'runChecks('],
  'requirements NAME': ['test/app/requirements/requirements.real.test.ts', "run(['add', 'humanize==4.9.0'])"],
  'requirements NAME --dry-run': ['test/app/requirements/requirements.real.test.ts', "'dry-run')"],
  'requirements NAME --in-model': ['test/app/requirements/requirements.real.test.ts', "'in-model', 'without-proof'"],
  'predict --content-type --input-path --model-uri': [
    'test/app/predict/predict.real.test.ts',
    "input_path: 'rows.csv'",
  ],
  'predict --input-path --model-uri --output-path': ['test/app/predict/predict.real.test.ts', 'output_path:'],
  'predict --input-data --model-uri --pip-requirements-override': [
    'test/app/predict/predict.real.test.ts',
    'pip_requirements_override: [',
  ],
  'serve --model --port': ['test/cli/serve.real.test.ts', "'serve', '--model'"],
  review: ['test/cli/review.real.test.ts', "davit('review')"],
  'review NAME': ['test/cli/review.test.ts', "davit('review', 'none'"],
  'review NAME --base': ['test/cli/review.test.ts', '--base='],
  'up NAME --project': ['test/newcomer.real.test.ts', "succeed('up', 'flowers')"],
  'up NAME --environment': ['test/conformance/deploy.ts', "davit('up', ...names, '--environment'"],
  'up _platform --environment': ['test/infra/platform/platform.cluster.test.ts', "'_platform'"],
  'preview NAME --environment': ['test/cluster/rollout-failures.cluster.test.ts', "on.davit('preview', on.endpoint)"],
  'preview NAME --environment --refresh': ['test/cluster/rollout-drift.cluster.test.ts', "on.endpoint, '--refresh'"],
  'status --environment': ['test/cluster/rollouts.ts', "this.davit('status', '--json')"],
  'status NAME --environment': ['test/cluster/rollout-updates.cluster.test.ts', "on.davit('status', on.endpoint)"],
  'logs NAME --environment': ['test/cluster/rollout-updates.cluster.test.ts', "on.davit('logs', on.endpoint)"],
  'query NAME --data --environment': ['test/cli/deploy.real.test.ts', "'--data', `@${EXAMPLE}`"],
  'token --environment': ['test/conformance/deploy.ts', "davit('token', '--environment'"],
  'down NAME --environment': ['test/conformance/deploy.ts', "davit('down', ...names, '--environment'"],
  'down --all --environment': ['test/cluster/rollouts.ts', "this.davit('down', '--all')"],
  'down _platform --environment': ['test/cluster/removal.cluster.test.ts', "davit('down', '_platform')"],
  'cluster up': ['test/cluster/set-up.ts', 'startCluster('],
  'cluster down': ['test/cluster/cluster.cluster.test.ts', 'removeCluster('],
};

/** Programs of others, and why no test here runs the command. */
export const OF_OTHERS: readonly (readonly [command: RegExp, why: string])[] = [
  [/^npm install --save-dev \.\/davit-[\d.]+\.tgz$/, 'test/tools/make-package.real.test.ts installs the package'],
  [/^npm install --save-dev (?:[\w@/.-]+@[\d.]+ ?)+$/, 'commands.test.ts compares the versions with package.json'],
  [/^gh auth token$/, 'needs a login to GitHub'],
  [/^git (?:fetch|push) origin /, 'needs the pull request of a fork'],
  [/^pulumi preview -s iris\.production$/, 'needs the cluster of the example; test/engine runs plain Pulumi'],
  [/^export DATABRICKS_HOST=/, 'sets variables; commands.real.test.ts sets them too'],
  [/^docker login ghcr\.io$/, 'needs an account; registry.test.ts reads what it stores'],
  [/^export DAVIT_MODEL_SOURCES=/, 'sets a variable; download-image.test.ts sets it too'],
  [/^export MLFLOW_TRACKING_URI=/, 'sets variables; registry.real.test.ts sets them too'],
  [/^curl -H "Authorization: Bearer \$DATABRICKS_TOKEN" /, 'commands.real.test.ts runs the requests of docs/api.md'],
];

/** Lines of indented blocks that are output. */
export const OUTPUT: readonly RegExp[] = [
  /^endpoints\/iris\.yaml:10:22 error bad-value /,
  /^loaded (?:once|per worker)/,
];
