import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import type { Outcome } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { findProjectRoot } from '../../cli/find-project-root.ts';
import type { Parsed } from '../../cli/parse-arguments.ts';
import { SILENT } from '../../system/progress.ts';
import { listDocuments } from './documents.ts';

const CODE = join(import.meta.dirname, '..', '..');

/** The first YAML block of a document that begins with a text. */
function findYaml(file: string, beginning: string): string {
  const block = listDocuments()
    .find((document) => document.file === file)
    ?.blocks.find(({ language, text }) => language === 'yaml' && text.startsWith(beginning));
  if (!block) throw new Error(`Cannot find a YAML block in ${file} that begins with "${beginning}"`);
  return `${block.text}\n`;
}

const FRAUD = '{"name": "fraud", "config": {"served_entities": [{"entity_name": "fraud", "entity_version": "1"}]}}\n';
const BUNDLE = `resources:
  model_serving_endpoints:
    churn: { name: churn, config: { served_entities: [{ entity_name: churn, entity_version: "\${var.version}" }] } }
variables: { version: {} }
targets: { prod: { variables: { version: "3" } } }
`;
const TERRAFORM = `variable "catalog" {}
resource "databricks_model_serving" "rose" {
  name = "rose"
  config {
    served_entities {
      entity_name    = "\${var.catalog}.garden.rose"
      entity_version = "1"
    }
  }
}
`;

/** The project of which the documents speak: the README's endpoint, an environment, files of others. */
export async function writeDocumentedProject(): Promise<string> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'davit-documents-')));
  const production = findYaml('docs/environments.md', 'name: production');
  const files = {
    'endpoints/iris.yaml': findYaml('README.md', 'name: iris'),
    'environments/production.yaml': production,
    'teams/fraud/endpoints/fraud.yaml': FRAUD,
    'fraud.json': FRAUD,
    'databricks.yml': BUNDLE,
    'infra/main.tf': TERRAFORM,
    'infra/prod.tfvars': 'catalog = "main"\n',
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  await cp(join(CODE, 'models/iris'), join(root, 'models/iris'), { recursive: true });
  return root;
}

/** Runs parsed commands in a new project, in this process, with a cache of its own. */
export async function makeDocumentedProject() {
  const root = await writeDocumentedProject();
  vi.stubEnv('DAVIT_CACHE', join(root, 'cache'));
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(root, { recursive: true, force: true });
  });
  const run = async ({ verb, args, options }: Parsed & { readonly verb: string }): Promise<Outcome> => {
    const command = await COMMANDS[verb]?.();
    if (!command) throw new Error(`Cannot find the verb "${verb}"`);
    const { signal } = new AbortController();
    return command.run({
      ...{ args, options, cwd: root, progress: SILENT, signal },
      get root() {
        return findProjectRoot(root, options);
      },
    });
  };
  return { root, run };
}
