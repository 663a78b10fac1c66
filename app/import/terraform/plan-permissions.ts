import { listOf, lookUp, type SourceNode, textOf } from '../source-node.ts';
import { SERVING } from './module-scope.ts';
import { type AddressStep, joinAddress, splitAddress } from './plan-address.ts';

/**
 * Finds the endpoint that a databricks_permissions resource of a plan is about, where its id is not known before the
 * apply. The configuration names what the expression of the id refers to, but not the expression itself.
 */
export function findPlannedEndpoint(
  plan: SourceNode,
  permissions: string,
  endpoints: ReadonlySet<string>,
): PlannedEndpoint {
  const steps = splitAddress(permissions);
  const [modules, own] = [steps.slice(0, -2), steps.slice(-2)];
  const module = findModule(plan, modules);
  const resource = (listOf(module && lookUp(module, ['resources'])) ?? []).find(
    (r) => textOf(lookUp(r, ['address'])) === own.map(({ name }) => name).join('.'),
  );
  if (!resource || !lookUp(resource, ['expressions', 'serving_endpoint_id']))
    return { isServing: false, endpoint: undefined };
  const origin = { plan, modules, key: own.at(-1)?.key, endpoints };
  const references = listReferences(resource, ['expressions', 'serving_endpoint_id']);
  const isEach = references.some((r) => r === 'each.value' || r.startsWith('each.value.'));
  const items = isEach ? listReferences(resource, ['for_each_expression']) : [];
  return { isServing: true, endpoint: follow(isEach ? [...items, 'each.key'] : references, origin, 0) };
}

interface PlannedEndpoint {
  /** Whether the permissions are about an endpoint, and not about another object. */
  readonly isServing: boolean;
  /** Its address. Undefined if the plan does not say it. */
  readonly endpoint: string | undefined;
}

interface Origin {
  readonly plan: SourceNode;
  /** The steps of the module in which the references stand. */
  readonly modules: readonly AddressStep[];
  /** The key of the instance of the permissions. */
  readonly key: string | undefined;
  readonly endpoints: ReadonlySet<string>;
}

const MAX_DEPTH = 50;

/** The endpoint that references lead to, through outputs and inputs of modules. Undefined unless it is exactly one. */
function follow(references: readonly string[], origin: Origin, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const targets = listTargets(references);
  const [target] = targets;
  if (!target || targets.length > 1) return undefined;
  const [kind, name, output] = splitAddress(target);
  if (kind?.name === SERVING) return chooseInstance(target, references, origin);
  if (kind?.name === 'module' && name && output) return followOutput(name, output.name, origin, depth);
  if (kind?.name === 'var' && name) return followInput(name.name, origin, depth);
  return undefined;
}

/** What references lead to, without attributes and without shorter forms of the same reference. */
function listTargets(references: readonly string[]): readonly string[] {
  const targets = references.flatMap((reference) => {
    const steps = splitAddress(reference);
    const kind = steps[0]?.name ?? '';
    if (['each', 'count'].includes(kind)) return [];
    return [joinAddress(steps.slice(0, kind === 'module' ? 3 : 2))];
  });
  return [...new Set(targets)].filter(
    (target) => !targets.some((other) => other.startsWith(`${target}[`) || other.startsWith(`${target}.`)),
  );
}

/** The instance with the index of the reference, else the only one, else the one with the key of the permissions. */
function chooseInstance(target: string, references: readonly string[], origin: Origin): string | undefined {
  const { modules, key, endpoints } = origin;
  const address = joinAddress([...modules, ...splitAddress(target)]);
  if (endpoints.has(address)) return address;
  const isSameKey = references.some((r) => r === 'each.key' || r === 'count.index');
  const own = `${address}[${key ?? ''}]`;
  return isSameKey && endpoints.has(own) ? own : undefined;
}

function followOutput(name: AddressStep, output: string, origin: Origin, depth: number): string | undefined {
  const modules = [...origin.modules, { name: 'module', key: undefined }, name];
  const module = findModule(origin.plan, modules);
  const references = module && listReferences(module, ['outputs', output, 'expression']);
  return follow(references ?? [], { ...origin, modules, key: undefined }, depth + 1);
}

function followInput(name: string, origin: Origin, depth: number): string | undefined {
  const modules = origin.modules.slice(0, -2);
  const caller = findModule(origin.plan, modules);
  const call = origin.modules.at(-1);
  if (!caller || !call) return undefined;
  const references = listReferences(caller, ['module_calls', call.name, 'expressions', name]);
  return follow(references, { ...origin, modules, key: call.key }, depth + 1);
}

/** The configuration of a module, whose calls are nested. */
function findModule(plan: SourceNode, modules: readonly AddressStep[]): SourceNode | undefined {
  const calls = modules.filter((_step, i) => i % 2 === 1);
  const path = calls.flatMap(({ name }) => ['module_calls', name, 'module']);
  return lookUp(plan, ['configuration', 'root_module', ...path]);
}

function listReferences(node: SourceNode, path: readonly string[]): readonly string[] {
  return (listOf(lookUp(node, [...path, 'references'])) ?? []).flatMap((r) => textOf(r) ?? []);
}
