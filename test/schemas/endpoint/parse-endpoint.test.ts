import { describe, expect, it } from 'vitest';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';

const FILE = 'endpoints/iris.yaml';
const parse = (text: string) => parseEndpoint(text, FILE);
const found = (text: string) => parse(text).diagnostics.map((d) => `${d.line}:${d.column} ${d.code} ${d.message}`);

const SMALLEST = `name: iris
config:
  served_entities:
    - entity_name: iris
      entity_version: "1"
`;

describe('parseEndpoint()', () => {
  it('completes the smallest endpoint with every default', () => {
    expect(parse(SMALLEST)).toMatchObject({ diagnostics: [] });
    expect(parse(SMALLEST).endpoint).toEqual({
      name: 'iris',
      file: FILE,
      description: '',
      tags: [],
      entities: [
        {
          name: 'iris-1',
          model: { name: 'iris', version: '1', uri: undefined },
          workloadType: 'CPU',
          concurrency: { min: 4, max: 4 },
          scaleToZero: false,
          environmentVars: {},
          instanceProfileArn: undefined,
          requirementEdits: { add: [], remove: [] },
          validation: [],
          timeLimitSeconds: 120,
          workerMode: undefined,
          nan: 'error',
          place: { file: FILE, line: 4, column: 7 },
          modelPlaces: { name: { file: FILE, line: 4, column: 20 }, version: { file: FILE, line: 5, column: 23 } },
        },
      ],
      routes: [{ entity: 'iris-1', percentage: 100 }],
      routeOptimized: false,
      permissions: [],
      rateLimits: [],
      rollout: 'rolling',
      places: { permissions: [], rateLimits: [] },
    });
  });

  it.each([
    ['a maximum of 6', ['max_provisioned_concurrency: 6'], '6:36', 6, 2, 8, 'Write 4 or 8'],
    ['a minimum of 9 without a maximum', ['min_provisioned_concurrency: 9'], '6:36', 9, 3, 12, 'Write 8 or 12'],
    [
      'a card and a maximum of 5',
      ['max_provisioned_concurrency: 5', 'workload_type: GPU_SMALL'],
      '6:36',
      ...([5, 2, 8, 'Write 4 or 8'] as const),
    ],
  ])('warns of %s, which is no whole number of replicas', (_what, fields, at, most, replicas, units, hint) => {
    const { endpoint, diagnostics } = parse(`${SMALLEST}${fields.map((f) => `      ${f}\n`).join('')}`);
    expect(endpoint?.entities[0]?.concurrency.max).toBe(most);
    expect(diagnostics.map((d) => ({ ...d, at: `${d.line}:${d.column}` }))).toMatchObject([
      {
        ...{ at, code: 'uneven-concurrency', severity: 'warning', hint },
        message: `Found a maximum of ${most}: ${replicas} replicas have ${units} units of concurrency`,
      },
    ]);
  });

  const withOurs = (ours: string, fields = '') =>
    `${SMALLEST}${fields}davit: { served_entities: { iris-1: { ${ours} } } }\n`;

  it.each([
    ['workers: shared', { workerMode: 'shared' }],
    ['workers: separate', { workerMode: 'separate' }],
    ['workers: one', { workerMode: 'one' }],
    ['nan: error', { nan: 'error' }],
    ['nan: null', { nan: 'null' }],
    ['nan: ~', { nan: 'null' }],
    ['nan: "null"', { nan: 'null' }],
  ])('takes davit.served_entities.NAME.%s', (ours, entity) => {
    expect(parse(withOurs(ours))).toMatchObject({ diagnostics: [], endpoint: { entities: [entity] } });
  });

  it('takes any maximum of replicas with one worker each', () => {
    const text = withOurs('workers: one', '      max_provisioned_concurrency: 5\n');
    expect(parse(text)).toMatchObject({ diagnostics: [], endpoint: { entities: [{ concurrency: { max: 5 } }] } });
  });

  it('refuses other workers than one beside a card', () => {
    const card = '      workload_type: GPU_SMALL\n';
    expect(found(withOurs('workers: separate', card))).toEqual([
      '7:48 conflicting-fields Cannot use workers: separate for "iris-1" together with workload_type: GPU_SMALL: only one process can use the GPU, expected workers: one',
    ]);
    expect(found(withOurs('workers: one', card))).toEqual([]);
  });

  it.each([1, 2, 3, 4, 8, 64, 1024])('takes %d requests at a time for what they are', (most) => {
    const text = `${SMALLEST}      min_provisioned_concurrency: 1\n      max_provisioned_concurrency: ${most}\n`;
    expect(parse(text).diagnostics).toEqual([]);
  });

  it('completes secrets, roles, limits, permissions and the way of a rollout', () => {
    const more = [
      '      environment_vars: {A: "{{secrets/team/api.key}}", B: plain}',
      '      instance_profile_arn: arn:aws:iam::123456789012:instance-profile/models',
      'route_optimized: true',
      'ai_gateway:',
      '  rate_limits:',
      '    - {calls: 100, renewal_period: minute}',
      '    - {calls: 0, key: user, principal: bot, renewal_period: minute}',
      'davit:',
      '  rollout: recreate',
      '  permissions:',
      '    - {user_name: a@b.example, permission_level: CAN_MANAGE}',
      '    - {group_name: users, permission_level: CAN_VIEW}',
      '    - {service_principal_name: robot, permission_level: CAN_QUERY}',
    ];
    const { endpoint, diagnostics } = parse(`${SMALLEST}${more.join('\n')}\n`);
    expect(diagnostics).toEqual([]);
    expect(endpoint).toMatchObject({
      routeOptimized: true,
      rollout: 'recreate',
      rateLimits: [
        { calls: 100, key: 'endpoint', principal: undefined, renewalSeconds: 60 },
        { calls: 0, key: 'user', principal: 'bot', renewalSeconds: 60 },
      ],
      permissions: [
        { principal: { kind: 'user', name: 'a@b.example' }, level: 'CAN_MANAGE' },
        { principal: { kind: 'users', name: 'users' }, level: 'CAN_VIEW' },
        { principal: { kind: 'service_principal', name: 'robot' }, level: 'CAN_QUERY' },
      ],
    });
    expect(endpoint?.entities[0]).toMatchObject({
      environmentVars: { A: '{{secrets/team/api.key}}', B: 'plain' },
      instanceProfileArn: 'arn:aws:iam::123456789012:instance-profile/models',
    });
  });

  it('accepts a body in the words of the Databricks documentation', () => {
    const body = {
      name: 'iris',
      description: 'flowers',
      tags: [{ key: 'team', value: 'x' }, { key: 'tier' }],
      config: {
        served_entities: [
          {
            entity_name: 'main.default.readmission',
            entity_version: '8',
            workload_size: 'Medium',
            scale_to_zero_enabled: true,
            workload_type: 'CPU',
            environment_vars: { A: 'b' },
          },
          {
            name: 'challenger',
            entity_name: 'iris',
            entity_version: 9,
            min_provisioned_concurrency: 4,
            max_provisioned_concurrency: 12,
          },
        ],
        traffic_config: {
          routes: [
            { served_model_name: 'readmission-8', traffic_percentage: '90' },
            { served_entity_name: 'challenger', traffic_percentage: 10 },
          ],
        },
      },
      route_optimized: false,
    };
    const { endpoint, diagnostics } = parse(JSON.stringify(body, null, 1));
    expect(diagnostics).toEqual([]);
    expect(endpoint?.entities.map((e) => [e.name, e.model.version, e.concurrency])).toEqual([
      ['readmission-8', '8', { min: 0, max: 16 }],
      ['challenger', '9', { min: 4, max: 12 }],
    ]);
    expect(endpoint?.routes).toEqual([
      { entity: 'readmission-8', percentage: 90 },
      { entity: 'challenger', percentage: 10 },
    ]);
    expect(endpoint?.tags).toEqual([
      { key: 'team', value: 'x' },
      { key: 'tier', value: '' },
    ]);
  });

  it.each([
    [
      'every unknown field, wherever it is',
      `nam: x\n${SMALLEST}      sha: 1\n`,
      [
        '1:1 unknown-field Cannot accept "nam" here: there is no such field',
        '7:7 unknown-field Cannot accept "sha" in "config.served_entities[0]": there is no such field',
      ],
    ],
    [
      'fields that are missing, at their parent',
      'name: iris\nconfig:\n  served_entities:\n    - name: a\n',
      [
        '4:7 missing-field Cannot find "config.served_entities[0].entity_name": expected a string',
        '4:7 missing-field Cannot find "config.served_entities[0].entity_version": expected a string',
      ],
    ],
    [
      'a wrong type',
      SMALLEST.replace('"1"', '[1]'),
      ['5:23 wrong-type Cannot accept [1] for "config.served_entities[0].entity_version": expected a string'],
    ],
    [
      'other words for workers and NaN',
      `${SMALLEST}davit: { served_entities: { iris-1: { workers: forked, nan: none } } }\n`,
      [
        '6:48 bad-value Cannot accept "forked" for "davit.served_entities.iris-1.workers": expected one of "shared", "separate", "one"',
        '6:61 bad-value Cannot accept "none" for "davit.served_entities.iris-1.nan": expected one of "error", "null"',
      ],
    ],
    [
      'workers without a word',
      `${SMALLEST}davit: { served_entities: { iris-1: { workers: } } }\n`,
      [
        '6:48 bad-value Cannot accept null for "davit.served_entities.iris-1.workers": expected one of "shared", "separate", "one"',
      ],
    ],
    [
      'a value out of its list',
      `${SMALLEST}      workload_size: Tiny\n`,
      [
        '6:22 bad-value Cannot accept "Tiny" for "config.served_entities[0].workload_size": expected one of "Small", "Medium", "Large"',
      ],
    ],
    [
      'a field of Databricks that cannot be honoured',
      `${SMALLEST}ai_gateway: {inference_table_config: {}}\n`,
      ['6:14 unsupported-field Cannot use "ai_gateway.inference_table_config": inference tables are not supported yet'],
    ],
    [
      'another name than the file',
      SMALLEST.replace('name: iris', 'name: rose'),
      ['1:7 name-mismatch Cannot accept "rose" as the name in endpoints/iris.yaml: expected "iris"'],
    ],
    [
      'traffic that is not 100',
      `${SMALLEST}  traffic_config: {routes: [{served_entity_name: iris-1, traffic_percentage: 90}]}\n`,
      ['6:28 traffic-sum Cannot route 90 % of the traffic: expected percentages that add up to 100'],
    ],
    [
      'traffic to nobody',
      `${SMALLEST}  traffic_config: {routes: [{served_entity_name: iris-2, traffic_percentage: 100}]}\n`,
      ['6:50 unknown-entity Cannot send traffic to "iris-2": expected "iris-1"'],
    ],
    [
      'a reference beside a wrong name and a wrong version',
      `${SMALLEST.replace('name: iris', 'name: iris flower').replace('entity_version: "1"', 'entity_version: champion\n      name: champion')}davit: {served_entities: {champoin: {nan: null}}}\n`,
      [
        '1:7 bad-value Cannot accept "iris flower" for "name"',
        '5:23 bad-value Cannot accept "champion" for "config.served_entities[0].entity_version": expected "@" before an alias',
        '7:27 unknown-entity Cannot find the served entity "champoin": expected "champion"',
      ],
    ],
    [
      'two entities without traffic',
      `${SMALLEST}    - {entity_name: iris, entity_version: "2"}\n`,
      ['2:1 traffic-missing Cannot split traffic between 2 served entities: expected config.traffic_config.routes'],
    ],
    [
      'two entities of one name',
      `${SMALLEST}    - {entity_name: iris, entity_version: "1"}\n  traffic_config: {routes: [{served_entity_name: iris-1, traffic_percentage: 100}]}\n`,
      ['6:21 duplicate-name Cannot have two served entities named "iris-1"'],
    ],
    [
      'a size beside a range',
      `${SMALLEST}      workload_size: Small\n      max_provisioned_concurrency: 8\n`,
      [
        '6:7 conflicting-fields Cannot use workload_size together with min_provisioned_concurrency and max_provisioned_concurrency: expected one or the other',
      ],
    ],
    [
      'a minimum above the maximum',
      `${SMALLEST}      min_provisioned_concurrency: 8\n      max_provisioned_concurrency: 4\n`,
      ['6:36 bad-value Cannot use a minimum of 8 with a maximum of 4: expected a minimum of at most the maximum'],
    ],
    [
      'a minimum of nothing without scaling to zero',
      `${SMALLEST}      min_provisioned_concurrency: 0\n`,
      ['6:36 conflicting-fields Cannot have a minimum of 0 without scale_to_zero_enabled: true'],
    ],
    [
      'settings for an entity that is not there',
      `${SMALLEST}davit:\n  served_entities:\n    rose: {model_uri: x}\n`,
      ['8:5 unknown-entity Cannot find the served entity "rose": expected "iris-1"'],
    ],
    [
      'a secret that is not the whole value, or none',
      `${SMALLEST}      environment_vars: {A: "x {{secrets/s/k}}", B: "{{secrets/s}}", C: "{{secrets/s/k}} "}\n`,
      [
        '6:29 bad-value Cannot accept "x {{secrets/s/k}}" for "config.served_entities[0].environment_vars.A": expected {{secrets/SCOPE/KEY}} alone, or a plain value',
        '6:53 bad-value Cannot accept "{{secrets/s}}"',
        '6:73 bad-value Cannot accept "{{secrets/s/k}} "',
      ],
    ],
    [
      'what is no role of AWS',
      `${SMALLEST}      instance_profile_arn: models\n`,
      [
        '6:29 bad-value Cannot accept "models" for "config.served_entities[0].instance_profile_arn": expected arn:aws:iam::ACCOUNT:instance-profile/NAME or …:role/NAME',
      ],
    ],
    [
      'rate limits that mean nothing',
      `${SMALLEST}ai_gateway:\n  rate_limits:\n    - {calls: -1, key: endpoint, renewal_period: hour}\n    - {calls: 1, tokens: 1, principal: me, renewal_period: minute}\n`,
      [
        '8:15 bad-value Cannot accept -1 for "ai_gateway.rate_limits[0].calls": expected 0 or more',
        '8:50 bad-value Cannot accept "hour" for "ai_gateway.rate_limits[0].renewal_period": expected "minute"',
        '9:18 unsupported-field Cannot use "ai_gateway.rate_limits[1].tokens": token limits apply only to language models',
      ],
    ],
    [
      'a caller where the endpoint is limited, and both places',
      `${SMALLEST}rate_limits: [{calls: 1, principal: me, renewal_period: minute}]\n`,
      ['6:37 conflicting-fields Cannot limit "me" with key: endpoint: expected user, user_group or service_principal'],
    ],
    [
      'rate limits in both places',
      `${SMALLEST}rate_limits: [{calls: 1, renewal_period: minute}]\nai_gateway: {rate_limits: []}\n`,
      ['6:1 conflicting-fields Cannot use rate_limits together with ai_gateway.rate_limits: expected one or the other'],
    ],
    [
      'permissions for nobody, for two, twice, and of an unknown level',
      `${SMALLEST}davit:\n  permissions:\n    - {permission_level: CAN_QUERY}\n    - {user_name: a, group_name: b, permission_level: CAN_QUERY}\n    - {group_name: users, permission_level: CAN_VIEW}\n    - {group_name: users, permission_level: CAN_QUERY}\n`,
      [
        '8:7 missing-field Cannot find the principal of a permission: expected exactly one of user_name, group_name, service_principal_name',
        '9:7 conflicting-fields Cannot use user_name together with group_name: expected exactly one of',
        '11:7 duplicate-name Cannot have two permissions for "users"',
      ],
    ],
    [
      'a level that does not exist',
      `${SMALLEST}davit: {permissions: [{user_name: a, permission_level: CAN_DANCE}], rollout: fast}\n`,
      [
        '6:56 bad-value Cannot accept "CAN_DANCE" for "davit.permissions[0].permission_level": expected one of "CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"',
        '6:78 bad-value Cannot accept "fast" for "davit.rollout": expected one of "rolling", "recreate"',
      ],
    ],
    ['text that is not YAML', 'name: iris\nconfig: [', ['2:9 bad-yaml Cannot read YAML: the "[" is not closed']],
    [
      'a key that is there twice',
      `${SMALLEST}name: iris\n`,
      ['6:1 bad-yaml Cannot read YAML: the field "name" appears twice, expected once'],
    ],
    ['an empty file', '', ['1:1 wrong-type Cannot accept an empty file: expected an endpoint']],
    ['a file of comments', '# hello\n', ['1:1 wrong-type Cannot accept an empty file: expected an endpoint']],
    [
      'an alias without anchor',
      SMALLEST.replace('entity_name: iris', 'entity_name: *iris'),
      ['4:20 bad-yaml Cannot read YAML: the alias "*iris" has no anchor "&iris" before it'],
    ],
    [
      'an alias inside of its own anchor',
      SMALLEST.replace('- entity_name: iris', '- &one\n      entity_name: *one'),
      ['5:20 bad-yaml Cannot read YAML: the alias "*one" is inside of its own anchor "&one"'],
    ],
    [
      'a second document',
      `${SMALLEST}---\n${SMALLEST}`,
      ['6:1 bad-yaml Cannot read YAML: it has a second document after "---", expected one'],
    ],
    [
      'one mistake at one place once',
      'name: iris\nconfig: [\n  a: b\nc: d\n',
      ['2:9 bad-yaml Cannot read YAML: the "[" is not closed'],
    ],
    ['nesting without end', `name: ${'['.repeat(20_000)}`, [' bad-yaml Cannot read YAML: it is nested too deeply']],
    [
      'bytes of another encoding',
      `${SMALLEST}description: caf\ufffd\n`,
      ['6:17 bad-yaml Cannot read YAML: it contains a byte that is not UTF-8, expected text'],
    ],
    [
      'a control character',
      `${SMALLEST}description: \u001b[31m\n`,
      ['6:14 bad-yaml Cannot read YAML: it contains the control character U+001B, expected text'],
    ],
    [
      'columns after a byte order mark',
      `\ufeff${SMALLEST.replace('iris', 'rose')}`,
      ['1:7 name-mismatch Cannot accept "rose" as the name in endpoints/iris.yaml: expected "iris"'],
    ],
    [
      'another name in config',
      SMALLEST.replace('config:', 'config:\n  name: rose'),
      ['3:9 name-mismatch Cannot accept "rose" for "config.name": expected "iris"'],
    ],
    [
      'what only Databricks writes',
      `${SMALLEST}      creator: me\ncreation_timestamp: 1\n`,
      [
        '6:7 unsupported-field Cannot use "config.served_entities[0].creator": Databricks sets it in its responses',
        '7:1 unsupported-field Cannot use "creation_timestamp": Databricks sets it in its responses',
      ],
    ],
    [
      'a name that is no variable',
      `${SMALLEST}      environment_vars: {1A: x}\n`,
      [
        '6:26 bad-value Cannot accept "1A" as a name in "config.served_entities[0].environment_vars": expected the name of an environment variable',
      ],
    ],
    [
      'aliases that explode',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]\n`,
      ['1:1 bad-yaml'],
    ],
    [
      'a name that reads as an option',
      SMALLEST.replace('name: iris', 'name: --help'),
      [
        '1:7 bad-value Cannot accept "--help" for "name": expected 1 to 63 letters, digits, "-" or "_", beginning with a letter or digit',
      ],
    ],
  ])('reports %s', (_what, text, wanted) => {
    const lines = found(text);
    expect(lines).toHaveLength(wanted.length);
    for (const [i, line] of lines.entries()) expect(line).toContain(wanted[i]);
    expect(parse(text).endpoint).toBeUndefined();
  });

  it('accepts the body that the SDK of Databricks sends to create an endpoint', () => {
    const served = {
      ...{ name: 'iris-1', entity_name: 'main.default.iris', entity_version: '1', environment_vars: { A: 'b' } },
      ...{ scale_to_zero_enabled: true, workload_size: 'Small', workload_type: 'CPU' },
    };
    const routes = [{ served_model_name: 'iris-1', traffic_percentage: 100 }];
    const config = { name: 'iris', served_entities: [served], traffic_config: { routes } };
    const body = { config, name: 'iris', tags: [{ key: 'team', value: 'x' }] };
    expect(parse(JSON.stringify(body)).diagnostics).toEqual([]);
  });

  it.each([
    ['a slip', 'descripton: x\n', 'Did you mean "description"?'],
    ['dashes', 'route-optimized: false\n', 'Did you mean "route_optimized"?'],
    ['a field of another place', 'workload_size: Small\n', 'It belongs in config.served_entities[]'],
    ['a field of ours', 'model_uri: x\n', 'It belongs in davit.served_entities.NAME'],
    [
      'anything else',
      'zzz: x\n',
      'Valid fields: name, description, tags, config, route_optimized, ai_gateway, rate_limits, davit',
    ],
  ])('says what to write instead of %s', (_what, line, hint) => {
    expect(parse(SMALLEST + line).diagnostics.map((d) => d.hint)).toEqual([hint]);
  });

  it('quotes a number as it is written', () => {
    const [wrong] = parse(SMALLEST.replace('"1"', '1.10')).diagnostics;
    expect(wrong).toMatchObject({
      message:
        'Cannot accept 1.10 for "config.served_entities[0].entity_version": YAML reads it as 1.1, expected a string',
      hint: 'Put it in quotes: "1.10"',
    });
  });

  it('checks the rules between fields that no name matters to, where a name is wrong', () => {
    const text = `${SMALLEST.replace('entity_name: iris', 'name: "é"\n      entity_name: iris')}      min_provisioned_concurrency: 8\n      max_provisioned_concurrency: 4\n`;
    expect(found(text).map((l) => l.split(' ').slice(0, 2).join(' '))).toEqual(['4:13 bad-value', '7:36 bad-value']);
  });

  it('reports everything at once, in the order of the file', () => {
    const text = `name: iris\nfoo: 1\nconfig:\n  served_entities:\n    - entity_name: iris\n      entity_version: "1"\n      bar: 2\n      workload_type: TPU\n`;
    expect(found(text).map((l) => l.split(' ').slice(0, 2).join(' '))).toEqual([
      '2:1 unknown-field',
      '7:7 unknown-field',
      '8:22 bad-value',
    ]);
  });

  it('still checks the rules between fields where single fields are wrong', () => {
    const text = `${SMALLEST}      foo: 1\n      workload_type: TPU\n      min_provisioned_concurrency: 8\n      max_provisioned_concurrency: 4\n`;
    expect(found(text).map((l) => l.split(' ').slice(0, 2).join(' '))).toEqual([
      '6:7 unknown-field',
      '7:22 bad-value',
      '8:36 bad-value',
    ]);
  });

  it('does not blame a route for the wrong name of its entity', () => {
    const text = `name: iris\nconfig:\n  served_entities:\n    - {name: "a b", entity_name: iris, entity_version: 1}\n  traffic_config: {routes: [{served_entity_name: "a b", traffic_percentage: 100}]}\n`;
    expect(found(text).map((l) => l.split(' ').slice(0, 2).join(' '))).toEqual(['4:14 bad-value']);
  });

  it('says every mistake at once, whatever is missing, wrong or of another type beside it', () => {
    const text = `name: rose
ai_gateway:
  rate_limits:
    - { calls: 5, key: users, principal: a@b.example }
config:
  served_entities:
    - iris
    - { name: "a b", entity_name: iris, entity_version: 1, scale_to_zero_enabled: "true", min_provisioned_concurrency: 0 }
    - { name: b, entity_version: 1, workload_size: tiny, max_provisioned_concurrency: 8 }
    - { name: b, entity_name: iris, entity_version: 3 }
  traffic_config:
    routes:
      - { served_entity_name: a b, traffic_percentage: "x" }
      - { served_entity_name: nobody, traffic_percentage: 30 }
davit:
  permissions:
    - { user_name: 5, permission_level: CAN_VIEW }
  served_entities:
    c: { time_limit_seconds: 0 }
`;
    const codes = (written: string) => found(written).map((l) => l.split(' ').slice(0, 2).join(' '));
    const shared = ['1:7 name-mismatch', '4:7 missing-field', '4:24 bad-value'];
    const routes = ['13:56 bad-value', '14:31 unknown-entity'];
    const rest = [
      ...['8:15 bad-value', '8:83 wrong-type', '9:7 missing-field', '9:37 conflicting-fields', '9:52 bad-value'],
      ...['10:15 duplicate-name', ...routes, '17:20 wrong-type', '19:5 unknown-entity', '19:30 bad-value'],
    ];
    expect(codes(text.replace('    - iris\n', '    # iris\n'))).toEqual([...shared, ...rest]);
    // Without the name of one entity, references between names say nothing.
    const isReference = (line: string) => /unknown-entity|duplicate-name/.test(line);
    expect(codes(text)).toEqual([...shared, '7:7 wrong-type', ...rest.filter((line) => !isReference(line))]);
  });

  it('says nothing about the sum or the lack of routes whose form is wrong', () => {
    const two = `${SMALLEST}    - { entity_name: iris, entity_version: "2" }\n  traffic_config:\n`;
    for (const [routes, expected] of [
      ['    routes:\n      iris-1: 100\n', '9:7 wrong-type'],
      ['    - iris-1\n', '8:5 wrong-type'],
      ['    routes: [{ served_entity_name: iris-1, traffic_percentage: 50% }]\n', '8:64 bad-value'],
      ['    routes: [{ served_entity_name: iris-1 }]\n', '8:14 missing-field'],
    ] as const)
      expect(found(two + routes).map((l) => l.split(' ').slice(0, 2).join(' '))).toEqual([expected]);
  });
});

describe('a file with more errors than a person reads', () => {
  const COUNT = 3000;
  const lines = (line: (i: number) => string) => Array.from({ length: COUNT }, (_, i) => `${line(i)}\n`).join('');
  const davit = `${SMALLEST}davit:\n  served_entities:\n    iris-1:\n      requirements:\n        add:\n`;
  it.each([
    ['items of a list', davit + lines(() => '          - 1'), 11],
    ['names of a map', `${SMALLEST}      environment_vars:\n${lines((i) => `        A${i}: 1`)}`, 7],
    ['unknown fields', SMALLEST + lines((i) => `      x${i}: 1`), 6],
  ])('has 100 of them, and their number: %s', (_what, text, first) => {
    const { endpoint, diagnostics } = parse(text);
    expect(endpoint).toBeUndefined();
    const of = diagnostics.filter((d) => d.line >= first);
    expect(of).toHaveLength(101);
    expect(of.at(-1)).toMatchObject({
      line: first + 100,
      severity: 'error',
      message: `Cannot show ${COUNT - 100} more errors in this file: expected at most 100`,
    });
  });
});
