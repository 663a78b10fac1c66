import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Diagnostic, makeWarning } from '../../../schemas/diagnostic.ts';
import { readUserFile } from '../../../schemas/read-project.ts';
import { readSource } from '../read-source.ts';
import { showPath, startOf } from '../show-path.ts';
import { isTerraform } from '../terraform-files.ts';
import { renderConfiguration, renderValues } from './json-syntax.ts';
import { type HclFile, parseHcl } from './parse-hcl.ts';

export interface TerraformFolder {
  readonly files: readonly HclFile[];
  /** In the order in which Terraform reads them: a later value overrides an earlier one. */
  readonly valueFiles: readonly HclFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Parses every configuration file of a folder. `given`: the value files of the user, which Terraform reads after those
 * that it finds by itself. Undefined: a module that another one calls has no files with values.
 */
export async function readTerraformFolder(
  folder: string,
  cwd: string,
  given: readonly string[] | undefined,
): Promise<TerraformFolder | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return undefined;
  const names = entries.flatMap((entry) => (entry.isDirectory() ? [] : [entry.name])).sort();
  const overrides = names.filter((name) => isTerraform(name) && isOverride(name));
  const files = names.filter((name) => isTerraform(name) && !isOverride(name));
  const automatic = names.filter((name) => AUTOMATIC_VALUES.test(name));
  const values = given === undefined ? [] : [...DEFAULT_VALUES.filter((name) => names.includes(name)), ...automatic];
  const read = (path: string) => readFile(path, cwd);
  const [configuration, valueFiles] = await Promise.all([
    Promise.all(files.map((name) => read(join(folder, name)))),
    Promise.all([...values.map((name) => join(folder, name)), ...(given ?? [])].map(read)),
  ]);
  const paths = new Set([...values.map((name) => join(folder, name)), ...(given ?? [])]);
  const others = given === undefined ? [] : names.filter((name) => VALUES.test(name) && !paths.has(join(folder, name)));
  const skip = (name: string, why: string, hint: string) => {
    const file = showPath(join(folder, name), cwd);
    return makeWarning('not-imported', startOf(file), `Cannot import ${file}: ${why}`, hint);
  };
  return {
    ...{ files: configuration, valueFiles },
    diagnostics: [
      ...[...configuration, ...valueFiles].flatMap((f) => f.diagnostics),
      ...others.map((name) => skip(name, 'Terraform reads its values only if they are given', VALUES_HINT)),
      ...overrides.map((name) => skip(name, 'it overrides parts of the other files', OVERRIDE_HINT)),
    ],
  };
}

const DEFAULT_VALUES = ['terraform.tfvars', 'terraform.tfvars.json'];
const AUTOMATIC_VALUES = /\.auto\.tfvars(?:\.json)?$/;
const VALUES = /\.tfvars(?:\.json)?$/;
const VALUES_HINT = 'Give it with --var-file FILE';
const OVERRIDE_HINT = 'Import the plan instead: terraform show -json PLAN > plan.json';

function isOverride(name: string): boolean {
  return /(?:^|_)override\.tf(?:\.json)?$/.test(name);
}

async function readFile(path: string, cwd: string) {
  const file = showPath(path, cwd);
  const { value, diagnostics } = await readUserFile(path, file);
  if (value === undefined) return { file, text: '', body: undefined, diagnostics };
  if (!path.endsWith('.json')) return parseHcl(value, file);
  const { root, diagnostics: wrong } = readSource(value, file);
  if (!root) return { file, text: '', body: undefined, diagnostics: wrong };
  const made = isTerraform(path) ? renderConfiguration(root) : renderValues(root);
  return parseHcl(made.text, file, made.places);
}
