import { checkOwnName, checkReferences, checkRulesWithoutNames } from './check-endpoint-file.ts';
import { type Diagnostic, hasErrors, sortDiagnostics } from '../diagnostic.ts';
import type { Endpoint, Entity, TrafficShare } from './endpoint.ts';
import { DEFAULT_TIME_LIMIT_SECONDS, type EndpointFile, endpointFile, entityName } from './endpoint-file.ts';
import { WORKLOAD_SIZES } from './workload.ts';
import { completePermission, completeRateLimit } from './complete-access.ts';
import { prepareEndpoint } from './document/prepare-endpoint.ts';
import { suggestEndpointValue } from './document/suggest-endpoint-value.ts';
import { completeNetwork, completeValidation } from './validation-cases.ts';
import { readOwn } from '../values/read-own.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import type { ParsedYaml, Path } from '../yaml/parsed-yaml.ts';

export interface ParsedEndpoint {
  /** Undefined if any diagnostic is an error. */
  readonly endpoint: Endpoint | undefined;
  /** Often set even when the file has errors. */
  readonly name: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly locate: ParsedYaml<unknown>['locate'];
}

/** Parses an endpoint file, or returns all of its diagnostics. `file` is the path as the user would type it. Pure. */
export function parseEndpoint(text: string, file: string): ParsedEndpoint {
  const { value, rest, diagnostics, locate } = parseYaml(text, file, endpointFile, ENDPOINT_RULES);
  const readable = value ?? rest?.value;
  const all = sortDiagnostics([
    ...diagnostics,
    ...(readable ? checkRules(readable, rest?.wrong ?? [], file, locate) : []),
  ]);
  const endpoint = value && !hasErrors(all) ? completeEndpoint(value, file, locate) : undefined;
  const name = rest?.wrong.some(isOwnName) === true ? undefined : readable?.name;
  return { endpoint, name, diagnostics: all, locate };
}

const ENDPOINT_RULES = {
  isWritten: true,
  prepare: prepareEndpoint,
  suggest: suggestEndpointValue,
  standIn: findStandIn,
};

/** Values for fields whose mistakes must not hide those of other fields, or make others look wrong. */
const STAND_INS: Readonly<Record<string, unknown>> = {
  name: 'x',
  entity_name: 'x',
  entity_version: '1',
  workload_size: 'Small',
  scale_to_zero_enabled: true,
};

function findStandIn(path: Path): unknown {
  if (isOwnName(path)) return STAND_INS['name'];
  const [list, field] = [path[1], path.at(-1)];
  if (path.at(-3) === 'rate_limits' && field === 'key') return 'user';
  if (field === 'traffic_percentage') return 0;
  if (path[0] !== 'config' || list !== 'served_entities') return undefined;
  if (path.length === 3) return { entity_name: STAND_INS['entity_name'], entity_version: STAND_INS['entity_version'] };
  return path.length === 4 ? readOwn(STAND_INS, String(field)) : undefined;
}

function checkRules(value: EndpointFile, wrong: readonly Path[], file: string, locate: ParsedEndpoint['locate']) {
  return [
    ...(wrong.some(isOwnName) ? [] : checkOwnName(value, file, locate)),
    ...(areReferencesValid(wrong, value) ? checkReferences(value, locate, wrong) : []),
    ...checkRulesWithoutNames(value, locate, wrong),
  ];
}

function isOwnName(path: Path): boolean {
  return path.length === 1 && path[0] === 'name';
}

/** If a name is unknown, rules about references between names would only repeat that error. */
function areReferencesValid(wrong: readonly Path[], { config }: EndpointFile): boolean {
  const isUsable = ([, list, index, field]: Path) => {
    if (list !== 'served_entities') return false;
    const name = config.served_entities[Number(index)]?.name;
    if (field === 'name') return name !== STAND_INS['name']; // it is the written text
    return (field === 'entity_name' || field === 'entity_version') && name !== undefined;
  };
  return !wrong.some(
    (path) =>
      !isOwnName(path) &&
      !isUsable(path) &&
      (REFERENCE_FIELDS.includes(String(path.at(-1))) || (path[0] === 'config' && path.at(-2) === 'served_entities')),
  );
}

const REFERENCE_FIELDS = ['name', 'entity_name', 'entity_version', 'served_entity_name', 'served_model_name'];

type ServedEntityFile = EndpointFile['config']['served_entities'][number];

function completeEndpoint(value: EndpointFile, file: string, locate: ParsedYaml<unknown>['locate']): Endpoint {
  const entities = value.config.served_entities.map((served, i) =>
    completeEntity(served, value.davit?.served_entities?.[entityName(served)], {
      locate,
      path: ['config', 'served_entities', i],
    }),
  );
  return {
    name: value.name,
    file,
    description: value.description ?? '',
    tags: (value.tags ?? []).map((t) => ({ key: t.key, value: t.value ?? '' })),
    entities,
    routes: completeRoutes(value, entities),
    routeOptimized: value.route_optimized ?? false,
    permissions: (value.davit?.permissions ?? []).map(completePermission),
    rateLimits: (value.ai_gateway?.rate_limits ?? value.rate_limits ?? []).map(completeRateLimit),
    rollout: value.davit?.rollout ?? 'rolling',
    ...(value.davit?.breaking !== undefined && { breaking: value.davit.breaking }),
    places: findLocations(value, locate),
  };
}

function findLocations(value: EndpointFile, locate: ParsedEndpoint['locate']): NonNullable<Endpoint['places']> {
  const limits = value.ai_gateway?.rate_limits ? ['ai_gateway', 'rate_limits'] : ['rate_limits'];
  return {
    permissions: (value.davit?.permissions ?? []).map((_, i) => locate(['davit', 'permissions', i])),
    rateLimits: (value.ai_gateway?.rate_limits ?? value.rate_limits ?? []).map((_, i) => locate([...limits, i])),
  };
}

type DavitEntityFile = NonNullable<NonNullable<EndpointFile['davit']>['served_entities']>[string];

function completeEntity(
  served: ServedEntityFile,
  extra: DavitEntityFile | undefined,
  { locate, path }: { readonly locate: ParsedEndpoint['locate']; readonly path: Path },
): Entity {
  const scaleToZero = served.scale_to_zero_enabled ?? false;
  const [small, large] = WORKLOAD_SIZES[served.workload_size ?? 'Small'];
  const max = served.max_provisioned_concurrency ?? Math.max(large, served.min_provisioned_concurrency ?? 0);
  const min = served.min_provisioned_concurrency ?? Math.min(small, max);
  return {
    name: entityName(served),
    model: { name: served.entity_name, version: String(served.entity_version), uri: extra?.model_uri },
    workloadType: served.workload_type ?? 'CPU',
    concurrency: { min: scaleToZero ? 0 : min, max },
    scaleToZero,
    environmentVars: served.environment_vars ?? {},
    instanceProfileArn: served.instance_profile_arn,
    requirementEdits: { add: extra?.requirements?.add ?? [], remove: extra?.requirements?.remove ?? [] },
    buildWheels: extra?.build_wheels ?? [],
    timeLimitSeconds: extra?.time_limit_seconds ?? DEFAULT_TIME_LIMIT_SECONDS,
    workerMode: extra?.workers,
    nan: extra?.nan === null ? 'null' : (extra?.nan ?? 'error'),
    validation: completeValidation(extra?.validation, entityName(served), locate),
    ...(extra?.validation?.network && { network: completeNetwork(extra.validation, entityName(served), locate) }),
    place: locate(path),
    modelPlaces: locateModelNames(extra, entityName(served), { locate, path }),
  };
}

function locateModelNames(
  extra: DavitEntityFile | undefined,
  name: string,
  { locate, path }: { readonly locate: ParsedEndpoint['locate']; readonly path: Path },
): NonNullable<Entity['modelPlaces']> {
  const uri = extra?.model_uri === undefined ? undefined : locate(['davit', 'served_entities', name, 'model_uri']);
  return { name: uri ?? locate([...path, 'entity_name']), version: uri ?? locate([...path, 'entity_version']) };
}

function completeRoutes(value: EndpointFile, entities: readonly Entity[]): readonly TrafficShare[] {
  const routes = value.config.traffic_config?.routes;
  if (!routes) return entities.slice(0, 1).map((e) => ({ entity: e.name, percentage: 100 }));
  return routes
    .map((r) => ({
      entity: r.served_entity_name ?? r.served_model_name ?? '',
      percentage: Number(r.traffic_percentage),
    }))
    .filter((r) => r.percentage > 0);
}
