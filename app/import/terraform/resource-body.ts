import { listOf, makeMap, mapOf, type SourceNode } from '../source-node.ts';

/** Blocks that are lists in the API too. All other blocks are single, although Terraform writes them as lists. */
const LISTS = ['served_entities', 'served_models', 'routes', 'rate_limits', 'tags', 'permissions', 'access_control'];
/** What the provider adds to a resource. */
const PROVIDER_FIELDS = ['id', 'serving_endpoint_id', 'endpoint_url', 'provider_config', 'timeouts', 'object_type'];

/** The create body of a databricks_model_serving resource, from a configuration, a plan or a state. */
export function fromTerraform(resource: SourceNode): SourceNode {
  const fields = mapOf(resource);
  if (!fields) return resource;
  const entries = [...fields].filter(([name]) => !PROVIDER_FIELDS.includes(name));
  return makeMap(
    entries.map(([name, node]) => [name, unwrap(name, node)] as const),
    resource.place,
  );
}

function unwrap(name: string, node: SourceNode): SourceNode {
  const list = listOf(node);
  if (!list) return mapOf(node) ? convertFields(node) : node;
  if (LISTS.includes(name)) return { ...node, value: list.map(convertFields) };
  const [only, ...others] = list;
  return only && others.length === 0 && mapOf(only) ? convertFields(only) : node;
}

function convertFields(node: SourceNode): SourceNode {
  const fields = mapOf(node);
  if (!fields) return node;
  return makeMap(
    [...fields].map(([name, child]) => [name, name === 'environment_vars' ? child : unwrap(name, child)] as const),
    node.place,
  );
}
