import { basename, dirname, resolve } from 'node:path';
import { makeError } from '../../schemas/diagnostic.ts';
import { readBundle } from './bundle.ts';
import type { ForeignEndpoint, ForeignFile, ImportValues } from './foreign-endpoint.ts';
import { listTopFields, readBundleFiles, readTerraformFolder, readYamlFile, showPath, startOf } from './read-files.ts';
import { fromPlain, listOf, mapOf, type SourceNode } from './source-node.ts';
import { readPlan } from './terraform/plan.ts';

const MAX_MODULES = 50;

/** Reads the endpoints of one YAML or JSON file: a body, an answer, a bundle, or a plan of Terraform. */
export async function readForeignYaml(path: string, cwd: string, values: ImportValues): Promise<ForeignFile> {
  const { root, diagnostics } = await readYamlFile(path, cwd);
  if (!root) return { endpoints: [], diagnostics };
  const fields = listTopFields(root);
  const has = (...names: readonly string[]) => names.some((name) => fields.includes(name));
  const key = basename(path).replace(/\.[^.]*$/, '');
  const list = listOf(root) ?? (has('name', 'config') ? undefined : listOf(mapOf(root)?.get('endpoints')));
  if (list) return { endpoints: list.map((body, i) => makeBody(`${key}-${i + 1}`, body)), diagnostics: [] };
  if (has('planned_values', 'terraform_version')) return readPlan(root);
  if (has('config', 'served_entities', 'served_models')) return { endpoints: [makeBody(key, root)], diagnostics: [] };
  if (has('resources', 'bundle', 'targets', 'include', 'variables'))
    return readBundle(await readBundleFiles(path, root, cwd), values);
  const expected = 'expected the body or answer of a request, a bundle, or a plan of Terraform';
  const message = `Cannot find an endpoint in ${showPath(path, cwd)}: ${expected}`;
  return { endpoints: [], diagnostics: [makeError('not-imported', startOf(showPath(path, cwd)), message)] };
}

function makeBody(key: string, body: SourceNode): ForeignEndpoint {
  return { key, body };
}

/** Reads the endpoints of .tf files of one folder, and of the modules in folders beside it. */
export async function readForeignTerraform(
  paths: readonly string[],
  cwd: string,
  { variables }: ImportValues,
): Promise<ForeignFile> {
  const { readModule } = await import('./terraform/read-module.ts');
  const [first = ''] = paths;
  const inputs = new Map([...variables].map(([name, value]) => [name, readInput(value)]));
  const folder = await readTerraformFolder(dirname(first), cwd);
  const own = new Set(paths.map((path) => showPath(path, cwd)));
  const found = readModule({ ...folder, inputs }, own);
  const endpoints = [...found.endpoints];
  const diagnostics = [...folder.diagnostics.filter((d) => own.has(d.file)), ...found.diagnostics];
  const calls = [...found.calls];
  for (let call = calls.shift(), count = 0; call && count < MAX_MODULES; call = calls.shift(), count++) {
    const at = resolve(cwd, dirname(call.file), call.source);
    const module = await readTerraformFolder(at, cwd).catch(() => undefined);
    if (!module) {
      const message = `Cannot import the module ${call.source}: there is no such folder`;
      diagnostics.push(makeError('not-imported', startOf(call.file), message));
      continue;
    }
    const inner = readModule({ ...module, inputs: call.inputs }, new Set(module.files.map((f) => f.file)));
    endpoints.push(...inner.endpoints);
    diagnostics.push(...module.diagnostics, ...inner.diagnostics);
    calls.push(...inner.calls);
  }
  return { endpoints, diagnostics };
}

/** A list or a map is written as JSON, as for Terraform's own -var. */
function readInput(text: string): SourceNode {
  const place = startOf('--var');
  try {
    if (/^\s*[[{]/.test(text)) return fromPlain(JSON.parse(text), place);
  } catch {
    // Not JSON, so it is a text that begins with a bracket.
  }
  return { place, value: text };
}
