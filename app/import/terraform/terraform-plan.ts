import { type Diagnostic, makeError } from '../../../schemas/diagnostic.ts';
import type { ForeignEndpoint, ForeignFile } from '../foreign-endpoint.ts';
import { listOf, lookUp, makeMap, mapOf, type SourceNode, textOf } from '../source-node.ts';
import { SERVING } from './module-scope.ts';
import { splitAddress } from './plan-address.ts';
import { findPlannedEndpoint } from './plan-permissions.ts';
import { type EndpointPermissions, reportPermissions } from './read-module.ts';
import { fromTerraform } from './resource-body.ts';

/** Reads the endpoints of `terraform show -json`, of a plan or a state. */
export function readPlan(root: SourceNode): ForeignFile {
  const module = lookUp(root, ['planned_values', 'root_module']) ?? lookUp(root, ['values', 'root_module']);
  const resources = (module ? listResources(module) : []).filter(({ mode }) => mode !== 'data');
  const serving = resources.filter(({ type }) => type === SERVING);
  const { permissions, diagnostics } = readPermissions(root, resources, serving);
  const others = resources.filter(({ type }) => type.startsWith(SERVING) && type !== SERVING);
  const refused = others.map(({ address, values }) => {
    const message = `Cannot import ${address}: provisioned throughput is for foundation models`;
    return makeError('not-imported', values.place, message);
  });
  return {
    endpoints: serving.map((resource) => makeEndpoint(resource, permissions)),
    diagnostics: [...refused, ...diagnostics],
  };
}

interface Resource {
  readonly type: string;
  readonly mode: string | undefined;
  readonly address: string;
  readonly values: SourceNode;
}

function listResources(module: SourceNode): readonly Resource[] {
  const own = (listOf(lookUp(module, ['resources'])) ?? []).flatMap((resource): Resource[] => {
    const values = lookUp(resource, ['values']);
    const text = (name: string) => textOf(lookUp(resource, [name]));
    return values ? [{ type: text('type') ?? '', mode: text('mode'), address: text('address') ?? '', values }] : [];
  });
  const children = listOf(lookUp(module, ['child_modules'])) ?? [];
  return [...own, ...children.flatMap(listResources)];
}

/** In a state, the ids are equal. In a plan, the configuration says which resource the id comes from. */
function readPermissions(root: SourceNode, resources: readonly Resource[], serving: readonly Resource[]) {
  const addresses = new Set(serving.map(({ address }) => address));
  const known = new Map(serving.map(({ values, address }) => [textOf(lookUp(values, [ID])), address]));
  const diagnostics: Diagnostic[] = [];
  const permissions: EndpointPermissions[] = [];
  for (const { type, address, values } of resources) {
    if (type !== 'databricks_permissions') continue;
    const id = textOf(lookUp(values, [ID]));
    const planned = findPlannedEndpoint(root, address, addresses);
    const endpoint = id === undefined ? planned.endpoint : known.get(id);
    const why = id === undefined ? 'the plan does not say it' : `it has no endpoint with the id ${id}`;
    if (endpoint !== undefined) permissions.push({ endpoint, list: listOf(lookUp(values, ['access_control'])) ?? [] });
    else if (id !== undefined || planned.isServing) diagnostics.push(reportPermissions(address, values.place, why));
  }
  return { permissions, diagnostics };
}

const ID = 'serving_endpoint_id';

function makeEndpoint({ address, values }: Resource, permissions: readonly EndpointPermissions[]): ForeignEndpoint {
  const list = permissions.filter(({ endpoint }) => endpoint === address).flatMap((p) => p.list);
  const extra = list.length > 0 ? [['permissions', { place: values.place, value: list }] as const] : [];
  const last = splitAddress(address).at(-1);
  const parts = [last?.name, last?.key].flatMap((part) => part?.replaceAll(/[^\w-]+/g, '-') ?? []);
  const key = parts.map((part) => part.replace(/^-/, '').replace(/-$/, '')).join('-') || 'endpoint';
  return { key, body: fromTerraform(makeMap([...(mapOf(values) ?? []), ...extra], values.place)) };
}
