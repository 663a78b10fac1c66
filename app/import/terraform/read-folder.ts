import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Diagnostic, makeWarning } from '../../../schemas/diagnostic.ts';
import { readUserFile } from '../../../schemas/read-project.ts';
import { showPath, startOf } from '../show-path.ts';
import { type HclFile, parseHcl } from './parse-hcl.ts';

export interface TerraformFolder {
  readonly files: readonly HclFile[];
  /** terraform.tfvars, then *.auto.tfvars, as Terraform orders them. */
  readonly valueFiles: readonly HclFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses every .tf file of a folder and the files with values that Terraform reads by itself. */
export async function readTerraformFolder(
  folder: string,
  cwd: string,
  withValues: boolean,
): Promise<TerraformFolder | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return undefined;
  const names = entries.flatMap((entry) => (entry.isDirectory() ? [] : [entry.name])).sort();
  const values = names.filter((name) => name.endsWith('.auto.tfvars') && name !== DEFAULT_VALUES);
  const read = (name: string) => readHcl(join(folder, name), cwd);
  const files = await Promise.all(names.filter((name) => name.endsWith('.tf')).map(read));
  const ordered = [...names.filter((name) => name === DEFAULT_VALUES), ...values];
  const valueFiles = withValues ? await Promise.all(ordered.map(read)) : [];
  const others = names.filter((name) => isOther(name, withValues) && !ordered.includes(name));
  const skipped = others.map((name) => {
    const file = showPath(join(folder, name), cwd);
    const message = `Cannot import ${file}: Davit reads *.tf, ${DEFAULT_VALUES} and *.auto.tfvars`;
    return makeWarning('not-imported', startOf(file), message, name.includes('.tfvars') ? VALUES_HINT : JSON_HINT);
  });
  return { files, valueFiles, diagnostics: [...[...files, ...valueFiles].flatMap((f) => f.diagnostics), ...skipped] };
}

const DEFAULT_VALUES = 'terraform.tfvars';
const VALUES_HINT = 'Give its values with --var NAME=VALUE, or rename it to NAME.auto.tfvars';
const JSON_HINT = 'Import the plan instead: terraform show -json PLAN > plan.json';

function isOther(name: string, withValues: boolean): boolean {
  return name.endsWith('.tf.json') || (withValues && /\.tfvars(?:\.json)?$/.test(name));
}

async function readHcl(path: string, cwd: string) {
  const file = showPath(path, cwd);
  const { value, diagnostics } = await readUserFile(path, file);
  return value === undefined ? { file, text: '', body: undefined, diagnostics } : parseHcl(value, file);
}
