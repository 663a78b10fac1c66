import { describe, expect, it } from 'vitest';
import { renameDeprecatedNames } from '../../../schemas/endpoint/document/rename-deprecated-fields.ts';
import { endpointFile } from '../../../schemas/endpoint/endpoint-file.ts';
import { formatYaml } from '../../../schemas/yaml/format-yaml.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';

// Endpoint files as people bring them along from bundles, Terraform, SDKs and GET answers.
const check = (text: string) => parseEndpoint(text, 'endpoints/iris.yaml').diagnostics;
const lines = (text: string) => check(text).map((d) => `${d.line}:${d.column} ${d.severity} ${d.code} ${d.message}`);
const starts = (text: string) => lines(text).map((line) => line.split(' ').slice(0, 3).join(' '));

const HEAD = 'name: iris\nconfig:\n  served_entities:\n';
const ENTITY = '    - { name: a, entity_name: main.ml.iris, entity_version: "1", workload_size: Small }\n';
const SMALLEST = HEAD + ENTITY;
const entityWith = (more: string) => `${HEAD}    - { name: a, entity_name: main.ml.iris, ${more} }\n`;
const VERSION = 'entity_version: "1"';

describe('inference tables and other features that Davit does not have', () => {
  it.each([
    'auto_capture_config: null',
    'auto_capture_config:',
    'auto_capture_config: { enabled: false, catalog_name: "${var.catalog}" }',
  ])('accepts config.%s', (field) => {
    expect(check(`${SMALLEST}  ${field}\n`)).toEqual([]);
  });

  it.each(['inference_table_config', 'usage_tracking_config', 'fallback_config'])(
    'accepts ai_gateway.%s switched off, and reports it once switched on',
    (field) => {
      expect(check(`${SMALLEST}ai_gateway: { ${field}: { enabled: false } }\n`)).toEqual([]);
      expect(check(`${SMALLEST}ai_gateway: { ${field}: null }\n`)).toEqual([]);
      for (const value of ['{ enabled: true, catalog_name: "${var.catalog}" }', '{}', '{ enabled: "false" }'])
        expect(starts(`${SMALLEST}ai_gateway: { ${field}: ${value} }\n`)).toEqual(['5:15 error unsupported-field']);
    },
  );

  it('reports an external model alone, not the fields that it stands for', () => {
    const model = '{ name: gpt, provider: openai, openai_config: { openai_api_key: "{{secrets/a/b}}" } }';
    expect(starts(`${HEAD}    - { external_model: ${model} }\n`)).toEqual(['4:9 error unsupported-field']);
  });

  it('accepts null for what Databricks writes into its answers, and reports the rest of it', () => {
    const fields = [
      'creator_display_name',
      'creator_kind',
      'resource_credential_strategy',
      'effective_budget_policy_id',
    ];
    expect(check(`${SMALLEST}${fields.map((f) => `${f}: null\n`).join('')}`)).toEqual([]);
    const found = check(
      `${entityWith(`${VERSION}, min_dbus: 4, max_dbus: 8`)}${fields.map((f) => `${f}: X\n`).join('')}`,
    );
    expect(found).toHaveLength(6);
    for (const d of found)
      expect(d).toMatchObject({
        code: 'unsupported-field',
        hint: expect.stringMatching(/^Remove it; npx davit import/) as unknown,
      });
  });
});

describe('deprecated names', () => {
  const OLD = `name: iris
config:
  served_models:
    - { name: blue, model_name: ranker, model_version: "1", workload_size: Small }
    - { name: green, model_name: ranker, model_version: "2", foo: 1 }
  traffic_config:
    routes:
      - { served_model_name: blue, traffic_percentage: 90 }
      - { served_model_name: green, traffic_percentage: 20 }
`;

  it('reads served_models as served_entities, with one warning and every check inside', () => {
    expect(lines(OLD)).toEqual([
      '3:3 warning deprecated-field Found deprecated names: served_models is read as served_entities, model_name is read as entity_name, model_version is read as entity_version',
      '5:62 error unknown-field Cannot accept "foo" in "config.served_entities[1]": there is no such field',
      '8:7 error traffic-sum Cannot route 110 % of the traffic: expected percentages that add up to 100',
    ]);
    const { endpoint, diagnostics } = parseEndpoint(
      OLD.replace(', foo: 1', '').replace('20', '10'),
      'endpoints/iris.yaml',
    );
    expect(diagnostics.map((d) => d.severity)).toEqual(['warning']);
    expect(endpoint?.entities.map((e) => [e.name, e.model.name, e.model.version, e.place.line])).toEqual([
      ['blue', 'ranker', '1', 4],
      ['green', 'ranker', '2', 5],
    ]);
  });

  it('are rewritten by davit fmt', () => {
    const formatted = formatYaml(OLD, endpointFile, renameDeprecatedNames) ?? '';
    expect(formatted).toContain('- { name: blue, entity_name: ranker, entity_version: "1", workload_size: Small }');
    expect(lines(formatted).join('\n')).not.toContain('deprecated-field');
  });

  it('reads model_name and model_version of a served entity', () => {
    expect(starts(`${HEAD}    - { model_name: iris, model_version: 1 }\n`)).toEqual(['4:9 warning deprecated-field']);
  });

  it('refuses an old name beside the new one, and accepts null', () => {
    expect(lines(`${SMALLEST}  served_models: [{ model_name: iris }]\n`)).toEqual([
      '5:3 error conflicting-fields Cannot use served_models together with served_entities: expected one or the other',
    ]);
    expect(starts(entityWith(`${VERSION}, model_version: "2"`))).toEqual(['4:66 error conflicting-fields']);
    expect(check(`${SMALLEST}  served_models: null\n`)).toEqual([]);
  });
});

describe('files of other formats', () => {
  it.each([
    ['resources: { model_serving_endpoints: { iris: { name: iris } } }\n', 'resources', 'a Databricks bundle'],
    ['bundle: { name: x }\ninclude: [a.yml]\n', 'bundle', 'a Databricks bundle'],
    ['{"format_version": "1.2", "planned_values": {}}', 'planned_values', 'a Terraform plan or state'],
    ['endpoints: [{ name: a }, { name: b }]\n', 'endpoints', 'a list of endpoints'],
  ])('reports %s once', (text, field, format) => {
    const [found, ...others] = check(text);
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      code: 'foreign-file',
      line: 1,
      hint: expect.stringMatching(/npx davit import FILE/) as unknown,
    });
    expect(found?.message).toContain(`"${field}" is a field of ${format}`);
  });

  it('treats the same fields in an endpoint file as unknown fields', () => {
    expect(starts(`${SMALLEST}resources: {}\n`)).toEqual(['5:1 error unknown-field']);
  });
});

describe('variables', () => {
  it.each([
    ['an entity name', entityWith(VERSION).replace('main.ml.iris', '"${var.catalog}.ml.iris"'), '4:31'],
    [
      'an entity name without its own name',
      `${HEAD}    - { entity_name: "\${{var.model}}", entity_version: 1 }\n`,
      '4:22',
    ],
    ['a version', entityWith('entity_version: "${resources.jobs.train.result}"'), '4:61'],
    ['a boolean', entityWith(`${VERSION}, scale_to_zero_enabled: '\${bundle.target == "dev"}'`), '4:89'],
    ['a tag', `${SMALLEST}tags: [{ key: env, value: "\${bundle.target}" }]\n`, '5:27'],
    ['a key', `${SMALLEST}davit: { served_entities: { "\${var.name}": { nan: error } } }\n`, '5:29'],
    ['a description', `${SMALLEST}description: for {{var.team}}\n`, '5:14'],
    ['an environment variable', entityWith(`${VERSION}, environment_vars: { A: "x-\${var.x}" }`), '4:89'],
    ['a workflow', entityWith(`${VERSION}, environment_vars: { A: "\${{ secrets.TOKEN }}" }`), '4:89'],
    ['a function', entityWith(`${VERSION}, environment_vars: { A: "\${upper(var.x)}" }`), '4:89'],
    ['a model URI', `${SMALLEST}davit: { served_entities: { a: { model_uri: "s3://\${BUCKET}/iris" } } }\n`, '5:45'],
    ['braces without quotes', entityWith('entity_version: {{var.version}}'), '4:61'],
    ['a shell variable in a name', `${SMALLEST}description: \${TEAM}\n`, '5:14'],
  ])('reports %s once, at its place', (_what, text, place) => {
    expect(starts(text).map((line) => line.replace(/^(\S+) error/, '$1'))).toEqual([`${place} unresolved-variable`]);
  });

  it('leaves to the model what only looks like a variable, and warns of shell variables', () => {
    const vars = (value: string) => entityWith(`${VERSION}, environment_vars: { A: ${JSON.stringify(value)} }`);
    for (const value of ['{{secrets/a/b}}', 'Answer {{question}}', 'costs ${:.2f}', '$HOME', 'a{b}', '${'])
      expect(check(vars(value))).toEqual([]);
    expect(starts(vars('${HOME}/x'))).toEqual(['4:89 warning unresolved-variable']);
  });

  it('says once that braces need quotes, where YAML cannot be read', () => {
    const found = check(entityWith(VERSION).replace('main.ml.iris', '${var.c}'));
    expect(found).toMatchObject([
      {
        code: 'bad-yaml',
        line: 4,
        hint: expect.stringMatching(/^Put a value that contains braces in quotes/) as unknown,
      },
    ]);
  });

  it('still checks everything else', () => {
    const text = `${entityWith(VERSION).replace('main.ml.iris', '"${var.c}"')}  traffic_config: { routes: [{ served_model_name: a, traffic_percentage: 90 }] }\nfoo: 1\n`;
    expect(starts(text)).toEqual([
      '4:31 error unresolved-variable',
      '5:29 error traffic-sum',
      '6:1 error unknown-field',
    ]);
  });
});

describe('permissions of other formats', () => {
  it.each(['permissions', 'access_control_list', 'access_control'])('writes the lines for davit.%s', (field) => {
    const list = '[{ group_name: users, level: CAN_QUERY }, { user_name: a@b.example, permission_level: CAN_MANAGE }]';
    const [found, ...others] = check(`${SMALLEST}${field}: ${list}\n`);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ code: 'unknown-field', line: 5, column: 1 });
    const [, ...written] = found?.hint?.split('\n') ?? [];
    expect(check(`${SMALLEST}${written.join('\n')}\n`)).toEqual([]);
    expect(written).toContain('      permission_level: CAN_MANAGE');
  });

  it('names permission_level instead of level, without a second diagnostic', () => {
    const found = check(`${SMALLEST}davit: { permissions: [{ group_name: users, level: CAN_QUERY }] }\n`);
    expect(found).toMatchObject([{ code: 'unknown-field', hint: 'Did you mean "permission_level"?' }]);
  });
});

describe('versions', () => {
  it.each([
    ['champion', 'Write entity_version: "@champion", or the number of the version'],
    ['Challenger', 'Write entity_version: "@Challenger", or the number of the version'],
    ['" 3 "', 'Write entity_version: "3"'],
    ['"@"', 'Write the alias as in the registry: "@champion"'],
    ['"@a/b"', 'Write the alias as in the registry: "@champion"'],
  ])('refuses %s', (version, hint) => {
    expect(check(entityWith(`entity_version: ${version}`))).toMatchObject([{ code: 'bad-value', line: 4, hint }]);
  });

  it.each(['latest', 'LATEST', 'Production', 'staging'])('warns of %s, which nobody decides', (version) => {
    const found = check(entityWith(`entity_version: ${version}`));
    expect(found).toMatchObject([{ code: 'moving-version', severity: 'warning', line: 4 }]);
  });

  it.each(['3', '"3"', '"2024.1"', 'broken', '"@champion"', '"@prod_eu-1"'])('accepts %s', (version) => {
    expect(check(entityWith(`entity_version: ${version}`))).toEqual([]);
  });

  it.each(['models:/iris/3', 'main.ml.iris@champion'])('refuses %s as the name of a model', (name) => {
    const text = entityWith(VERSION).replace('main.ml.iris', JSON.stringify(name));
    expect(check(text)).toMatchObject([{ code: 'bad-value' }]);
  });
});

describe('hints', () => {
  it.each([
    [entityWith(`${VERSION}, scale_to_zero_enabled: "False"`), 'Write false, without quotes'],
    [entityWith(`${VERSION}, scale_to_zero_enabled: yes`), 'Write true, without quotes'],
    [`${SMALLEST}rate_limits: [{ calls: "100", renewal_period: minute }]\n`, 'Write 100, without quotes'],
    [`${SMALLEST}rate_limits: [{ calls: 100, renewal_period: MINUTE }]\n`, 'Did you mean "minute"?'],
    [entityWith(`${VERSION}, workload_type: CPU_SMALL`), 'Did you mean "CPU"?'],
    [entityWith(`${VERSION}, workload_type: gpu-small`), 'Did you mean "GPU_SMALL"?'],
    [entityWith(`${VERSION}, workload_type: GPU_SMAL`), 'Did you mean "GPU_SMALL"?'],
    [entityWith(`${VERSION}, workload_size: small`), 'Did you mean "Small"?'],
    [entityWith(`${VERSION}, workload_size: Tiny`), undefined],
    [entityWith(`${VERSION}, scale_to_zero: true`), 'Did you mean "scale_to_zero_enabled"?'],
    [
      `${SMALLEST}tags: { team: vision, cost center: 12 }\n`,
      'Write a list:\ntags:\n  - { key: team, value: vision }\n  - { key: "cost center", value: "12" }',
    ],
    [entityWith(`${VERSION}, environment_vars: [{ name: A, value: b }]`), 'Write a map:\nenvironment_vars:\n  A: b'],
    [`${SMALLEST}tags: [{ key: "cost:project", value: x }]\n`, undefined],
  ])('for one mistake, one diagnostic: %#', (text, hint) => {
    const found = check(text);
    expect(found).toHaveLength(1);
    expect(found[0]?.severity).toBe('error');
    expect(found[0]?.hint).toBe(hint);
  });
});

describe('values that are not what they look like', () => {
  it.each(['010', '0x1F', '0o7', '1e3', '2.0', '1.10', '123456789012345678901'])(
    'refuses the version %s',
    (written) => {
      const [found, ...others] = check(entityWith(`entity_version: ${written}`));
      expect(others).toEqual([]);
      expect(found).toMatchObject({ code: 'wrong-type', column: 61, hint: `Put it in quotes: "${written}"` });
      expect(found?.message).toContain(`Cannot accept ${written} for "config.served_entities[0].entity_version"`);
    },
  );

  it.each([
    ['entity_version: “2”', 'it is in typographic quotation marks', 'Write "2"'],
    [`${VERSION}, environment_vars: { A: "a\\0b" }`, 'no program can have the character NUL', undefined],
    [
      `${VERSION}, environment_vars: { A: "{{secret/a/b}}" }`,
      'expected {{secrets/SCOPE/KEY}} alone',
      'A secret reference',
    ],
    [
      `${VERSION}, min_provisioned_concurrency: 99999999999999999999`,
      'Cannot accept 99999999999999999999 for',
      undefined,
    ],
    [`${VERSION}, min_provisioned_concurrency: .inf`, 'Cannot accept .inf for', undefined],
    [`${VERSION}, environment_vars: `, 'Cannot accept null for', 'Write a value, or remove the field'],
  ])('refuses %s once', (fields, message, hint) => {
    const [found, ...others] = check(entityWith(fields));
    expect(others).toEqual([]);
    expect(found?.message).toContain(message);
    if (hint !== undefined) expect(found?.hint).toContain(hint);
  });

  it('accepts values with braces that are no secrets', () => {
    expect(check(entityWith(`${VERSION}, environment_vars: { A: "{{ secret }}", B: "{{x}} secrets/a" }`))).toEqual([]);
  });

  it.each([
    [`${HEAD}    - iris\n`, 'Write a map: - { entity_name: iris, entity_version: "1" }'],
    [`${SMALLEST}  traffic_config: { routes: { a: 90 } }\n`, '{ served_entity_name: a, traffic_percentage: 90 }'],
    [`${SMALLEST}tags: { a: { b: { c: d } }, e: f }\n`, '{ key: e, value: f }'],
  ])('shows the right form instead of %j', (text, hint) => {
    const [found, ...others] = check(text);
    expect(others).toEqual([]);
    expect(found?.hint).toContain(hint);
  });
});
