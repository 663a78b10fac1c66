/** A part of a JSON document in GitHub's format. */
type Json = Readonly<Record<string, unknown>>;

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Json[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Json }>> };
  readonly responses: Readonly<Record<string, Json>>;
}

export interface OpenApi {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

const PROSE = ['description', 'example', 'examples', 'externalDocs', 'deprecated', 'nullable', 'title', 'default'];

/** Returns the selected operations with the JSON Schemas that they need (`#/$defs/` references), without prose. */
export function cutOpenApi(api: OpenApi, ids: readonly string[]): Json {
  const defs: Record<string, unknown> = {};
  const all = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const operations = ids.toSorted().map((id) => {
    const found = all.find(({ operation }) => operation.operationId === id);
    if (!found) throw new RangeError(`Cannot cut the contract: GitHub has no operation "${id}"`);
    return describeOperation(api, defs, found);
  });
  return { version: api.info.version, operations, $defs: defs };
}

function describeOperation(
  api: OpenApi,
  defs: Record<string, unknown>,
  { path, method, operation }: { readonly path: string; readonly method: string; readonly operation: Operation },
): Json {
  const { operationId, parameters = [], requestBody, responses } = operation;
  const status = Object.keys(responses).find((code) => code.startsWith('2')) ?? '';
  const response = resolveReference(api, responses[status] ?? {}) as {
    readonly content?: Readonly<Record<string, { readonly schema: Json; readonly examples?: Json }>>;
  };
  const { schema, examples = {} } = response.content?.['application/json'] ?? {};
  const example = Object.values(examples)[0] as Json | undefined;
  const request = requestBody?.content['application/json']?.schema;
  const query = parameters.map((p) => resolveReference(api, p)).filter((p) => p['in'] === 'query');
  return {
    id: operationId,
    method: method.toUpperCase(),
    path,
    status: Number(status),
    query: query.map((p) => p['name']),
    ...(request && { request: removeProse(request, { api, defs }) }),
    ...(schema && { response: removeProse(schema, { api, defs }) }),
    ...(example && { example: resolveReference(api, example)['value'] }),
  };
}

function resolveReference(api: OpenApi, node: Json): Json {
  const { $ref } = node;
  if (typeof $ref !== 'string') return node;
  const at = $ref.slice(2).split('/');
  return at.reduce((found: unknown, key) => (found as Json)[key], api) as Json;
}

interface CutContext {
  readonly api: OpenApi;
  readonly defs: Record<string, unknown>;
}

/** Removes prose, and writes OpenAPI 3.0's `nullable` as JSON Schema. */
function removeProse(node: unknown, cutting: CutContext): unknown {
  if (Array.isArray(node)) return node.map((item) => removeProse(item, cutting));
  if (node === null || typeof node !== 'object') return node;
  const { $ref, nullable } = node as Json;
  if (typeof $ref === 'string') return { $ref: keepSchema($ref, cutting) };
  const kept = Object.entries(node as Json).filter(([key]) => !PROSE.includes(key) && !key.startsWith('x-'));
  const slimmed = Object.fromEntries(
    kept.map(([key, value]) => [
      key,
      key === 'properties' ? removeProseFromProperties(value as Json, cutting) : removeProse(value, cutting),
    ]),
  );
  return nullable === true ? { anyOf: [slimmed, { type: 'null' }] } : slimmed;
}

/** Keeps all keys, because they are property names, one of which may be "description". */
function removeProseFromProperties(properties: Json, cutting: CutContext): Json {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, removeProse(value, cutting)]));
}

function keepSchema(ref: string, cutting: CutContext): string {
  const name = ref.split('/').at(-1) ?? '';
  if (!(name in cutting.defs)) {
    cutting.defs[name] = {}; // the schema may refer to itself
    cutting.defs[name] = removeProse(cutting.api.components.schemas[name], cutting);
  }
  return `#/$defs/${name}`;
}
