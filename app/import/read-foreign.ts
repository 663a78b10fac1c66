import { basename } from 'node:path';
import { makeError } from '../../schemas/diagnostic.ts';
import { readBundle } from './databricks-bundle.ts';
import type { ForeignEndpoint, ForeignFile, ImportValues } from './foreign-endpoint.ts';
import { listTopFields, readBundleFiles, readYamlFile } from './read-files.ts';
import { showPath, startOf } from './show-path.ts';
import { listOf, mapOf, type SourceNode } from './source-node.ts';
import { readPlan } from './terraform/terraform-plan.ts';

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
