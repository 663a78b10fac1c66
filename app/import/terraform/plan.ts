import { type Diagnostic, makeError } from '../../../schemas/diagnostic.ts';
import type { ForeignEndpoint, ForeignFile } from '../foreign-endpoint.ts';
import { listOf, lookUp, makeMap, mapOf, type SourceNode, textOf } from '../source-node.ts';
import { fromTerraform } from './resource-body.ts';

/** Reads the endpoints of `terraform show -json`, of a plan or a state. */
export function readPlan(root: SourceNode): ForeignFile {
  const module = lookUp(root, ['planned_values', 'root_module']) ?? lookUp(root, ['values', 'root_module']);
  const resources = module ? listResources(module) : [];
  const permissions = resources.filter((r) => textOf(r.get('type')) === 'databricks_permissions');
  const endpoints: ForeignEndpoint[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const resource of resources) {
    const [type, address] = [textOf(resource.get('type')) ?? '', textOf(resource.get('address')) ?? ''];
    const values = resource.get('values');
    if (!values || !type.startsWith('databricks_model_serving')) continue;
    if (type === 'databricks_model_serving') endpoints.push(makeEndpoint(address, values, permissions, root));
    else {
      const message = `Cannot import ${address}: provisioned throughput is for foundation models`;
      diagnostics.push(makeError('not-imported', values.place, message));
    }
  }
  return { endpoints, diagnostics };
}

type Fields = ReadonlyMap<string, SourceNode>;

function listResources(module: SourceNode): readonly Fields[] {
  const own = (listOf(lookUp(module, ['resources'])) ?? []).flatMap((r) => mapOf(r) ?? []);
  const children = listOf(lookUp(module, ['child_modules'])) ?? [];
  return [...own, ...children.flatMap(listResources)];
}

function makeEndpoint(
  address: string,
  values: SourceNode,
  permissions: readonly Fields[],
  root: SourceNode,
): ForeignEndpoint {
  const list = permissions
    .filter((resource) => concerns(resource, address, values, root))
    .flatMap((resource) => listOf(lookUp(resource.get('values') ?? values, ['access_control'])) ?? []);
  const extra = list.length > 0 ? [['permissions', { place: values.place, value: list }] as const] : [];
  const key =
    address
      .split('.')
      .at(-1)
      ?.replaceAll(/[^\w-]+/g, '-')
      .replace(/-$/, '') ?? 'endpoint';
  return { key, body: fromTerraform(makeMap([...(mapOf(values) ?? []), ...extra], values.place)) };
}

/** In a state, the ids are equal. In a plan, the configuration says which resource the id comes from. */
function concerns(permissions: Fields, address: string, endpoint: SourceNode, root: SourceNode): boolean {
  const id = textOf(lookUp(permissions.get('values') ?? endpoint, ['serving_endpoint_id']));
  if (id !== undefined) return id === textOf(lookUp(endpoint, ['serving_endpoint_id']));
  const resources = listOf(lookUp(root, ['configuration', 'root_module', 'resources'])) ?? [];
  const own = textOf(permissions.get('address'))?.split('[')[0];
  const configuration = resources.find((r) => textOf(lookUp(r, ['address'])) === own);
  const references = configuration && lookUp(configuration, ['expressions', 'serving_endpoint_id', 'references']);
  const [target] = address.split('[');
  return (listOf(references) ?? []).some((r) => textOf(r) === target);
}
