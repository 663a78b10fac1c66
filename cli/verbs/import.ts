import { resolve } from 'node:path';
import { type Imported, importFiles, type ImportedEndpoint } from '../../app/import/import-files.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';
import { type Command, type Context, type Outcome, UsageError } from '../command.ts';
import { NoProjectError } from '../find-project-root.ts';
import { textOption } from '../parse-arguments.ts';

const HELP = `Reads, and recognizes by the content:
  the body of a "create serving endpoint" request, or the answer to a GET request (JSON or YAML)
  a Databricks bundle: databricks.yml, or one of the files that it includes
  Terraform: .tf and .tf.json files or their folder, or the JSON of terraform show -json

Variables are filled in with their defaults, with the values of --target, terraform.tfvars, *.auto.tfvars and --var-file,
and with --var. What an endpoint file cannot express is left out and listed with its place. A file that exists is never replaced
without --force.

  davit import databricks.yml --target prod
  davit import infra/ --var catalog=main
  databricks serving-endpoints get fraud -o json > fraud.json && davit import fraud.json --dry-run`;

export const importVerb: Command = {
  summary: 'Make endpoint files of bundles, Terraform, request bodies and answers',
  usage: 'FILE|FOLDER…',
  help: HELP,
  options: {
    to: {
      type: 'string',
      value: 'FOLDER',
      help: "Write the files into this folder; default: the project's endpoints/",
    },
    'dry-run': { type: 'boolean', help: 'Print the endpoint files instead of writing them' },
    force: { type: 'boolean', help: 'Replace endpoint files that exist' },
    target: { type: 'string', short: 't', value: 'NAME', help: 'The target of the bundle whose values apply' },
    var: {
      type: 'string',
      multiple: true,
      value: 'NAME=VALUE',
      help: 'The value of a variable; may be given several times',
    },
    'var-file': {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'Values of Terraform variables, *.tfvars or *.tfvars.json; may be given several times',
    },
  },
  args: { min: 1, max: Infinity },
  run: runImport,
};

async function runImport(context: Context): Promise<Outcome> {
  const { options, cwd, args } = context;
  const to = textOption(options, 'to');
  const dryRun = options['dry-run'] === true;
  const imported = await importFiles({
    paths: args,
    cwd,
    folder: to === undefined ? resolve(findRoot(context), 'endpoints') : resolve(cwd, to),
    dryRun,
    force: options['force'] === true,
    target: textOption(options, 'target'),
    variables: readVariables(options['var']),
    valueFiles: readList(options['var-file']).map((file) => resolve(cwd, file)),
  });
  const endpoints = imported.endpoints.map(({ text, ...rest }) => (dryRun ? { ...rest, text } : rest));
  return { diagnostics: imported.diagnostics, result: { endpoints }, text: renderImported(imported, dryRun) };
}

/** A repository without a project becomes one by its first import. */
function findRoot(context: Context): string {
  try {
    return context.root;
  } catch (e) {
    if (e instanceof NoProjectError) return context.cwd;
    throw e;
  }
}

function readList(given: Context['options'][string]): readonly string[] {
  return Array.isArray(given) ? (given as readonly string[]) : [];
}

function readVariables(given: Context['options'][string]): ReadonlyMap<string, string> {
  return new Map(
    readList(given).map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new UsageError(`Cannot use "${text}" for --var: expected NAME=VALUE`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

const WORDS = {
  written: 'written',
  unchanged: 'up to date',
  'would-write': 'would be written',
  'not-written': 'not written',
} as const;

function renderImported({ endpoints }: Imported, dryRun: boolean): string {
  const lines = endpoints.map((endpoint) => `${endpoint.file}: ${renderStatus(endpoint)}`);
  const texts = dryRun ? endpoints.flatMap(({ file, text }) => (text === null ? [] : [`# ${file}\n${text}`])) : [];
  const written = endpoints.filter(({ status }) => status === 'written').length;
  const next =
    written > 0 ? [`${pluralize(written, 'endpoint file')} written. Next: npx davit check, then npx davit lock`] : [];
  return [...texts, ...lines, ...next].join('\n');
}

function renderStatus({ status, complete }: ImportedEndpoint): string {
  const isThere = status !== 'not-written';
  return isThere && !complete ? `${WORDS[status]}; to complete, see the errors above` : WORDS[status];
}
