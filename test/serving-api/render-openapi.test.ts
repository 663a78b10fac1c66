import { describe, expect, it } from 'vitest';
import { MISSING_OPEN_API, renderOpenApi } from '../../serving-api/render-openapi.ts';
import { makeServed, makeServedEntity, signatureOf, type Written } from './served.ts';

const URL = 'http://127.0.0.1:8080';
const DOUBLE = { type: 'number', format: 'double' };
const LONG = { type: 'integer', format: 'int64' };
const TEXT = { type: 'string' };

interface Document {
  readonly paths: Readonly<Record<string, { readonly post: Operation }>>;
}

interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly requestBody: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: {
    readonly '200': { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  };
}

interface Schema {
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** The schemas of the forms that an entity with these inputs takes, by form. */
function formsOf(inputs: unknown, more: Written = {}): Readonly<Record<string, unknown>> {
  const schema = describeOne({ inputs, ...more }).requestBody.content['application/json']!.schema;
  return Object.fromEntries((schema.oneOf ?? []).map((one) => Object.entries(one.properties!)[0]!));
}

function describeOne(written: Written): Operation {
  return describeAll(makeServed([makeServedEntity('one', { signature: signatureOf(written) })])).paths[
    '/served-models/one/invocations'
  ]!.post;
}

function describeAll(endpoint: ReturnType<typeof makeServed>): Document {
  return renderOpenApi(endpoint, URL) as Document;
}

function predictionsOf(outputs: unknown): unknown {
  const answer = describeOne({ inputs: [{ type: 'double', name: 'x' }], outputs }).responses['200'];
  return answer.content['application/json']!.schema.properties!['predictions'];
}

describe('renderOpenApi() of what MLflow makes itself', () => {
  const two = [
    { type: 'double', name: 0 },
    { type: 'double', name: 1 },
  ];

  it('says that a model with type hints takes only inputs', () => {
    const inputs = [{ type: 'object', properties: { q: { type: 'string', required: true } }, required: true }];
    const item = { type: 'object', properties: { q: TEXT }, required: ['q'] };
    const signature = { ...signatureOf({ inputs }), typeHints: true as const };
    const { paths } = describeAll(makeServed([makeServedEntity('one', { signature })]));
    const { content } = paths['/served-models/one/invocations']!.post.requestBody;
    expect(Object.keys(content)).toEqual(['application/json']);
    expect(content['application/json']!.schema.oneOf).toEqual([
      { type: 'object', required: ['inputs'], properties: { inputs: { type: 'array', items: item } } },
    ]);
  });

  it('lets columns that are only counted go without names', () => {
    const forms = formsOf(two) as Readonly<Record<string, { readonly required?: readonly string[] }>>;
    expect(Object.keys(forms)).toEqual(['dataframe_split', 'inputs', 'instances']);
    expect(forms['dataframe_split']!.required).toEqual(['data']);
    const other = formsOf([
      { type: 'double', name: 5 },
      { type: 'double', name: 'a' },
    ]) as typeof forms;
    expect(Object.keys(other)).toEqual(['dataframe_split']);
    expect(other['dataframe_split']!.required).toEqual(['columns', 'data']);
    expect(predictionsOf(two)).toMatchObject({ items: { properties: { 0: DOUBLE, 1: DOUBLE } } });
  });

  it('lists the bare form of agents, with its parameters beside the columns', () => {
    const inputs = [
      { type: 'array', items: { type: 'any' }, name: 'input', required: true },
      { type: 'double', name: 'temperature', required: false },
    ];
    const { schema } = describeOne({ inputs }).requestBody.content['application/json']!;
    expect(schema.oneOf![0]).toEqual({
      type: 'object',
      required: ['input'],
      properties: { input: { type: 'array', items: {} }, temperature: DOUBLE },
    });
  });
});

describe('renderOpenApi()', () => {
  it("has Databricks' shape", () => {
    const signature = signatureOf({
      inputs: [
        { type: 'long', name: 'count', required: true },
        { type: 'string', name: 'label', required: false },
      ],
      outputs: [{ type: 'tensor', 'tensor-spec': { dtype: 'int64', shape: [-1] } }],
      params: [{ name: 'sentiment', type: 'double', default: 0.5, shape: null }],
    });
    const params = { type: 'object', properties: { sentiment: { ...DOUBLE, default: 0.5 } } };
    const properties = { count: LONG, label: TEXT };
    const record = { type: 'object', properties, required: ['count'] };
    const form = (name: string, schema: object) => ({
      type: 'object',
      required: [name],
      properties: { [name]: schema, params },
    });
    const described = describeAll(makeServed([makeServedEntity('iris-1', { signature })]));
    expect(described).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'iris', version: '3', description: 'Flowers' },
      servers: [{ url: 'http://127.0.0.1:8080/serving-endpoints/iris' }],
    });
    expect(Object.keys(described.paths)).toEqual(['/served-models/iris-1/invocations', '/invocations']);
    const { requestBody, responses } = described.paths['/served-models/iris-1/invocations']!.post;
    expect(requestBody.content['application/json']!.schema).toEqual({
      oneOf: [
        form('dataframe_split', {
          type: 'object',
          required: ['columns', 'data'],
          properties: {
            columns: {
              description: 'required fields: count',
              type: 'array',
              items: { type: 'string', enum: ['count', 'label'] },
            },
            index: { type: 'array' },
            data: {
              type: 'array',
              items: { type: 'array', description: expect.any(String) as string, prefixItems: [LONG, TEXT] },
            },
          },
        }),
        form('dataframe_records', { type: 'array', items: record }),
        form('instances', { type: 'array', items: record }),
        form('inputs', {
          type: 'object',
          properties: { count: { type: 'array', items: LONG }, label: { type: 'array', items: TEXT } },
          required: ['count'],
        }),
      ],
    });
    expect(responses['200'].content['application/json']!.schema).toEqual({
      type: 'object',
      required: ['predictions'],
      properties: { predictions: { type: 'array', items: LONG } },
    });
  });

  it.each([
    ['boolean', { type: 'boolean' }],
    ['integer', { type: 'integer', format: 'int32' }],
    ['long', LONG],
    ['float', { type: 'number', format: 'float' }],
    ['double', DOUBLE],
    ['string', TEXT],
    ['binary', { type: 'string', contentEncoding: 'base64' }],
    ['datetime', { type: 'string', format: 'date-time' }],
    ['any', {}],
    ['sparkml_vector', { type: 'array', items: DOUBLE }],
    ['invented', {}],
    ['constructor', {}],
  ])('knows the type %s', (type, schema) => {
    const forms = formsOf([{ type, name: 'x', required: true }]);
    expect(forms['dataframe_records']).toEqual({
      type: 'array',
      items: { type: 'object', properties: { x: schema }, required: ['x'] },
    });
  });

  it('describes arrays, objects and maps, in the forms that MLflow takes for them', () => {
    const inputs = [
      { type: 'array', items: { type: 'array', items: { type: 'double' } }, name: 'rows', required: true },
      {
        type: 'object',
        properties: { a: { type: 'string' }, b: { type: 'long', required: false } },
        name: 'o',
        required: true,
      },
      { type: 'map', values: { type: 'long' }, name: 'm' },
    ];
    const rows = { type: 'array', items: { type: 'array', items: DOUBLE } };
    const o = { type: 'object', properties: { a: TEXT, b: LONG }, required: ['a'] };
    const m = { type: 'object', additionalProperties: LONG };
    const records = { type: 'array', items: { type: 'object', properties: { rows, o, m }, required: ['rows', 'o'] } };
    const forms = formsOf(inputs);
    expect(Object.keys(forms)).toEqual(['dataframe_split', 'dataframe_records', 'inputs']);
    expect([forms['dataframe_records'], forms['inputs']]).toEqual([records, records]);
  });

  it('leaves out the forms whose base64 MLflow would take for the value', () => {
    expect(Object.keys(formsOf([{ type: 'binary', name: 'x' }]))).toEqual(['dataframe_split', 'dataframe_records']);
  });

  it('describes columns without names', () => {
    const row = (prefixItems: readonly object[]) => ({
      type: 'object',
      required: ['data'],
      properties: {
        index: { type: 'array' },
        data: { type: 'array', items: { type: 'array', description: expect.any(String) as string, prefixItems } },
      },
    });
    const values = { type: 'array', items: DOUBLE };
    expect(formsOf([{ type: 'double' }])).toEqual({
      dataframe_split: row([DOUBLE]),
      instances: values,
      inputs: values,
    });
    expect(formsOf([{ type: 'double' }, { type: 'string' }])).toEqual({ dataframe_split: row([DOUBLE, TEXT]) });
  });

  it('describes tensors: lists in lists, with the lengths that are fixed', () => {
    const tensor = (dtype: string, shape: readonly number[], name?: string) => ({
      type: 'tensor',
      'tensor-spec': { dtype, shape },
      ...(name !== undefined && { name }),
    });
    const pair = { type: 'array', minItems: 2, maxItems: 2, items: { type: 'number', format: 'float' } };
    const whole = { type: 'array', items: pair };
    expect(formsOf([tensor('float32', [-1, 2])])).toEqual({ instances: whole, inputs: whole });
    const byte = { type: 'integer', minimum: 0, maximum: 255 };
    const short = { type: 'integer', minimum: -32_768, maximum: 32_767 };
    expect(formsOf([tensor('float32', [-1, 2], 'x'), tensor('uint8', [-1], 'y'), tensor('int16', [-1], 'z')])).toEqual({
      instances: {
        type: 'array',
        items: { type: 'object', required: ['x', 'y', 'z'], properties: { x: pair, y: byte, z: short } },
      },
      inputs: {
        type: 'object',
        required: ['x', 'y', 'z'],
        properties: { x: whole, y: { type: 'array', items: byte }, z: { type: 'array', items: short } },
      },
    });
    const fixed = { type: 'array', minItems: 3, maxItems: 3, items: {} };
    expect(formsOf([tensor('object', [3], 'x')])).toEqual({
      inputs: { type: 'object', required: ['x'], properties: { x: fixed } },
    });
    expect(predictionsOf([tensor('bool', [-1], 'x')])).toEqual({
      type: 'object',
      required: ['x'],
      properties: { x: { type: 'array', items: { type: 'boolean' } } },
    });
  });

  it('describes parameters with their defaults: lists, objects, dates, and those of old models', () => {
    const params = [
      { name: 'list', type: 'double', default: [1, 2], shape: [-1] },
      { name: 'object', type: 'object', default: { a: 'x' }, shape: null, properties: { a: { type: 'string' } } },
      { name: 'date', type: 'datetime', default: '2020-01-01', shape: null },
      { name: 'old', dtype: 'long', default: 0 },
      { name: 'nothing', type: 'string', default: null },
    ];
    const { oneOf } = describeOne({ inputs: [{ type: 'double' }], params }).requestBody.content['application/json']!
      .schema as { oneOf: { properties: { params: unknown } }[] };
    expect(oneOf[0]!.properties.params).toEqual({
      type: 'object',
      properties: {
        list: { type: 'array', items: DOUBLE, default: [1, 2] },
        object: { type: 'object', properties: { a: TEXT }, required: ['a'], default: { a: 'x' } },
        date: { type: 'string', format: 'date-time', default: '2020-01-01' },
        old: { ...LONG, default: 0 },
        nothing: { type: ['string', 'null'], default: null },
      },
    });
  });

  it('says of an answer that it may leave out what is optional, or say null', () => {
    expect(
      predictionsOf([
        { type: 'double', name: 'x' },
        { type: 'long', name: 'y', required: false },
      ]),
    ).toEqual({
      type: 'array',
      items: {
        type: 'object',
        properties: { x: DOUBLE, y: { type: ['integer', 'null'], format: 'int64' } },
        required: ['x'],
      },
    });
    expect(predictionsOf([{ type: 'string' }])).toEqual({ type: 'array', items: TEXT });
    expect(predictionsOf(undefined)).toEqual({});
  });

  it('says once what entities with traffic have in common, and what they have not', () => {
    const [a, b] = ['double', 'string'].map((type) => signatureOf({ inputs: [{ type, name: 'x' }] }));
    const entities = (second: typeof a) => [
      makeServedEntity('one', { signature: a, trafficPercentage: 90 }),
      makeServedEntity('two', { signature: second, trafficPercentage: 10 }),
      makeServedEntity('dark', { signature: b, trafficPercentage: 0 }),
    ];
    const trafficOf = (second: typeof a) => describeAll(makeServed(entities(second))).paths['/invocations']!.post;
    const alike = trafficOf(a).requestBody.content['application/json']!.schema;
    expect([alike.oneOf?.length, alike.anyOf]).toEqual([4, undefined]);
    expect(trafficOf(b).requestBody.content['application/json']!.schema.anyOf).toHaveLength(2);
    expect(trafficOf(b).summary).toContain('one 90 %, two 10 %');
  });

  it('describes what is known beside what is not, and says why it is not', () => {
    const known = makeServedEntity('known', { signature: signatureOf({ inputs: [{ type: 'double', name: 'x' }] }) });
    const { paths } = describeAll(makeServed([makeServedEntity('before', { signature: undefined }), known]));
    expect(paths['/served-models/before/invocations']!.post).toMatchObject({
      description: expect.stringMatching(/deployed without its signature.*npx davit up/) as string,
      requestBody: { content: { 'application/json': { schema: { oneOf: { length: 4 } } } } },
    });
    expect(paths['/served-models/known/invocations']!.post.description).toBeUndefined();
  });

  it.each([
    ['none', { inputs: null, outputs: null, params: null }, /without an input signature/],
    ['no JSON', { inputs: '{', outputs: '{', params: '{' }, /without an input signature/],
    ['another shape', { inputs: '{"a": 1}', outputs: null, params: null }, /without an input signature/],
    ['an earlier one', undefined, /deployed without its signature/],
  ])('describes every form of a request for a signature that is %s, and says why', (_what, signature, why) => {
    const { paths } = describeAll(makeServed([makeServedEntity('one', { signature })]));
    for (const path of ['/served-models/one/invocations', '/invocations'])
      expect(paths[path]!.post.requestBody.content['application/json']!.schema.oneOf).toHaveLength(4);
    expect(paths['/served-models/one/invocations']!.post.description).toMatch(why);
  });

  it('has no document for an endpoint that serves nothing yet', () => {
    expect(renderOpenApi(makeServed([]), URL)).toBeUndefined();
    expect(MISSING_OPEN_API).toMatch(/serves nothing yet/);
  });

  it('is not brought down by a signature that is no honest one', () => {
    const deep = `[${'{"type": "array", "items": '.repeat(5000)}{"type": "long"}${'}'.repeat(5000)}]`;
    const odd = [
      [null, 1, 'x', []],
      [{ type: 'object', name: 'x', properties: 'no' }],
      [{ type: 'tensor', 'tensor-spec': { dtype: 7, shape: 'no' } }],
      [{ type: 'tensor', name: 'x', 'tensor-spec': { dtype: 'float64', shape: Array(10_000).fill(-1) } }],
      [
        { type: 'double', name: '__proto__' },
        { type: 'long', name: 'constructor' },
      ],
    ].map((inputs) => JSON.stringify(inputs));
    for (const inputs of [deep, ...odd]) {
      const signature = { inputs, outputs: inputs, params: inputs };
      const document = renderOpenApi(makeServed([makeServedEntity('one', { signature })]), URL);
      expect(JSON.stringify(document)).toContain('"openapi":"3.1.0"');
    }
  });
});
