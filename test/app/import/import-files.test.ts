import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importFiles } from '../../../app/import/import-files.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import { importFrom } from './import-from.ts';

const ENTITY = { entity_name: 'iris', entity_version: '1' };
const BODY = { name: 'iris', config: { served_entities: [ENTITY] } };

describe('bodies and answers', () => {
  it('writes a body as a file that check accepts, and touches no file that exists', async () => {
    const { cwd, request, made, lines } = await importFrom({ 'body.json': JSON.stringify(BODY) });
    expect(lines).toEqual([]);
    expect(made).toMatchObject([{ name: 'iris', file: 'endpoints/iris.yaml', status: 'written', complete: true }]);
    const text = await readFile(join(cwd, 'endpoints/iris.yaml'), 'utf8');
    expect(parseEndpoint(text, 'endpoints/iris.yaml').diagnostics).toEqual([]);
    expect(await importFiles(request)).toMatchObject({ diagnostics: [], endpoints: [{ status: 'unchanged' }] });
    await writeFile(join(cwd, 'endpoints/iris.yaml'), 'mine');
    const again = await importFiles(request);
    expect(again.endpoints).toMatchObject([{ status: 'not-written' }]);
    expect(again.diagnostics).toMatchObject([{ message: 'Cannot write endpoints/iris.yaml: the file exists' }]);
    expect(await readFile(join(cwd, 'endpoints/iris.yaml'), 'utf8')).toBe('mine');
    expect((await importFiles({ ...request, force: true })).endpoints).toMatchObject([{ status: 'written' }]);
  });

  it('leaves out what Databricks writes into its answers, without a word', async () => {
    const entity = {
      ...ENTITY,
      name: 'iris-1',
      state: { deployment: 'READY' },
      creator: 'me',
      min_dbus: 4,
      workload_size: 'Small',
    };
    const answer = {
      ...{ name: 'iris', id: '1', creator: 'me', creator_kind: 'User', permission_level: 'CAN_MANAGE', task: null },
      config: {
        ...{ served_entities: [entity], config_version: 3 },
        served_models: [{ name: 'iris-1', model_name: 'iris', model_version: '1' }],
      },
      ai_gateway: { usage_tracking_config: { enabled: false }, inference_table_config: { enabled: true } },
      tags: [],
    };
    const { made, lines } = await importFrom({ 'list.json': JSON.stringify({ endpoints: [answer] }, null, 1) });
    expect(lines).toEqual([
      'list.json:37:31 warning not-imported Cannot import "ai_gateway.inference_table_config" of "iris": inference tables are not supported yet',
    ]);
    const served = { name: 'iris-1', ...ENTITY, workload_size: 'Small' };
    expect(made[0]?.value).toEqual({ name: 'iris', config: { served_entities: [served] }, ai_gateway: {} });
  });

  it.each([
    ['a file without an endpoint', { 'a.yaml': 'foo: 1\n' }, 'not-imported Cannot find an endpoint in a.yaml'],
    [
      'an external model',
      { 'a.yaml': 'name: a\nconfig: { served_entities: [{ external_model: {} , name: a }] }' },
      'serves no registered model',
    ],
    ['broken YAML', { 'a.yaml': 'a: [' }, 'bad-yaml'],
    [
      'a bomb of aliases',
      {
        'a.yaml': `a: &a [${'x,'.repeat(9)}]\nb: &b [${'*a,'.repeat(99)}]\nc: &c [${'*b,'.repeat(99)}]\nconfig: [${'*c,'.repeat(99)}]\n`,
      },
      'too many aliases',
    ],
    [
      'two endpoints of one name',
      { 'a.json': JSON.stringify([BODY, { ...BODY, description: 'x' }]) },
      'two imported endpoints',
    ],
  ])('reports %s', async (_what, files, expected) => {
    const { lines } = await importFrom(files);
    expect(lines.join('\n')).toContain(expected);
  });
});

describe('bundles', () => {
  const BUNDLE = `bundle: { name: fraud }
include: [resources/*.yml]
variables:
  catalog: { default: main }
  schema: { default: "\${var.catalog}_ml" }
  version: { description: given }
  entity: { type: complex, default: { scale_to_zero_enabled: true } }
targets:
  prod:
    variables: { version: 4, catalog: { default: live } }
    resources: { model_serving_endpoints: { fraud: { description: production } } }
`;
  const SERVING = `resources:
  registered_models: { m: { name: fraud_model } }
  model_serving_endpoints:
    fraud:
      name: \${bundle.target}-fraud
      config:
        served_models:
          - model_name: \${var.catalog}.\${var.schema}.\${resources.registered_models.m.name}
            model_version: \${var.version}
            scale_to_zero_enabled: \${var.entity.scale_to_zero_enabled}
      permissions: [{ level: CAN_QUERY, group_name: users }]
      tags: { team: risk }
`;
  const files = { 'databricks.yml': BUNDLE, 'resources/serving.yml': SERVING };

  it('fills in the variables of a target', async () => {
    const { made, lines } = await importFrom(files, { target: 'prod' });
    expect(lines).toEqual([]);
    expect(made).toMatchObject([{ name: 'prod-fraud', complete: true }]);
    expect(made[0]?.value).toEqual({
      ...{ name: 'prod-fraud', description: 'production', tags: [{ key: 'team', value: 'risk' }] },
      config: {
        served_entities: [
          { entity_name: 'live.live_ml.fraud_model', entity_version: '4', scale_to_zero_enabled: true },
        ],
      },
      davit: { permissions: [{ group_name: 'users', permission_level: 'CAN_QUERY' }] },
    });
  });

  it('finds the bundle of an included file, and lists what has no value with its place', async () => {
    const { made, lines } = await importFrom(files, { paths: ['resources/serving.yml'] });
    expect(lines).toEqual([
      "databricks.yml:9:3 warning not-imported Cannot import the values of the bundle's targets prod: no target is chosen",
      'resources/serving.yml:5:13 error unresolved-variable Cannot keep the name "${bundle.target}-fraud" of "fraud": it depends on the target; give --target NAME. The file is named fraud. Rename the file and `name` for another one',
      'resources/serving.yml:9:28 error unresolved-variable Cannot fill in "${var.version}": it has no default; give --target prod, or --var version=VALUE',
    ]);
    expect(made).toMatchObject([{ name: 'fraud', status: 'written', complete: false }]);
    const given = await importFrom(files, { variables: new Map([['version', '7']]) });
    expect(given.made[0]?.text).toContain('entity_version: "7"');
  });

  it.each(['resources/*.yml', './resources/serving.yml', '**/*.yml', 'resources/s?rv*g.yml'])(
    'includes %s',
    async (include) => {
      const including = BUNDLE.replace('resources/*.yml', JSON.stringify(include));
      const { made } = await importFrom(
        { ...files, 'databricks.yml': including, 'other/x.txt': '' },
        { target: 'prod' },
      );
      expect(made[0]?.text).toContain('live.live_ml.fraud_model');
    },
  );

  it('survives variables that refer to themselves, and an unknown target', async () => {
    const circle = BUNDLE.replace('default: main', 'default: "${var.schema}"');
    const { lines } = await importFrom({ ...files, 'databricks.yml': circle }, { target: 'staging' });
    expect(lines.join('\n')).toContain('it refers to itself');
    expect(lines.join('\n')).toContain('Cannot find the target "staging" of the bundle: it has prod');
  });
});

describe('Terraform', () => {
  const MAIN = `resource "databricks_model_serving" "this" {
  for_each = var.models
  name     = "\${local.prefix}-\${each.key}"
  config {
    served_entities {
      entity_name           = format("%s.ml.%s", var.catalog, each.key)
      entity_version        = each.value # the newest
      scale_to_zero_enabled = var.environment == "prod" && length(var.models) > 0 ? false : true
      environment_vars = {
        "A" = "{{secrets/x/y}}"
        B   = data.aws_region.current.name
        C   = "$\${literal}\\n\\u00e9"
      }
    }
    auto_capture_config { enabled = false }
    traffic_config {
      routes {
        served_model_name  = "\${each.key}-\${each.value}"
        traffic_percentage = 2 * (49 + 1)
      }
    }
  }
  dynamic "tags" {
    for_each = { team = "risk" }
    content {
      key   = tags.key
      value = <<-EOT
          \${tags.value}
            team
      EOT
    }
  }
}
resource "databricks_permissions" "p" {
  serving_endpoint_id = databricks_model_serving.this["churn"].serving_endpoint_id
  access_control {
    group_name       = "users"
    permission_level = "CAN_QUERY"
  }
}
module "inner" {
  source = "./inner"
  name   = "inner-\${var.environment}"
}
`;
  const files = {
    'tf/main.tf': MAIN,
    'tf/variables.tf':
      'variable "catalog" { default = "main" }\nvariable "environment" { type = string }\nvariable "models" {}\nlocals { prefix = lower("X") }\n',
    'tf/terraform.tfvars': 'models = { churn = 3 }\n',
    'tf/inner/main.tf':
      'variable "name" {}\nresource "databricks_model_serving" "m" {\n  name = var.name\n  config {\n    served_models {\n      model_name = "iris"\n      model_version = "1"\n      scale_to_zero_enabled = "true"\n    }\n  }\n}\n',
  };

  it('reads a folder: variables, values, locals, for_each, dynamic blocks, permissions and modules', async () => {
    const { made, lines } = await importFrom(files, { paths: ['tf'], variables: new Map([['environment', 'prod']]) });
    expect(lines).toEqual([
      'tf/main.tf:11:15 error unresolved-variable Cannot fill in "${data.aws_region.current.name}": only Terraform knows its value',
    ]);
    const variables = { A: '{{secrets/x/y}}', B: '${data.aws_region.current.name}', C: '${literal}\né' };
    expect(made.map((m) => m.value)).toEqual([
      {
        name: 'x-churn',
        tags: [{ key: 'team', value: 'risk\n  team\n' }],
        config: {
          served_entities: [
            {
              entity_name: 'main.ml.churn',
              entity_version: '3',
              scale_to_zero_enabled: false,
              environment_vars: variables,
            },
          ],
          traffic_config: { routes: [{ served_model_name: 'churn-3', traffic_percentage: 100 }] },
        },
        davit: { permissions: [{ group_name: 'users', permission_level: 'CAN_QUERY' }] },
      },
      {
        name: 'inner-prod',
        config: { served_entities: [{ entity_name: 'iris', entity_version: '1', scale_to_zero_enabled: true }] },
      },
    ]);
  });

  it('keeps the texts beside a value that only Terraform knows', async () => {
    const entity = `entity_name = "\${var.catalog}.\${data.x.y.z}"\n entity_version = upper("v\${data.x.y.z}")\n environment_vars = { A = "a \${data.x.y.z}" }`;
    const text = `variable "catalog" { default = "main" }\nresource "databricks_model_serving" "a" {\n name = "a"\n config {\n served_entities {\n ${entity}\n }\n }\n}\n`;
    const { made, lines } = await importFrom({ 'a.tf': text });
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['a.tf:6:16', 'a.tf:7:19', 'a.tf:8:27']);
    expect(made[0]?.value).toMatchObject({
      config: {
        served_entities: [
          {
            entity_name: 'main.${data.x.y.z}',
            entity_version: '${upper("v${data.x.y.z}")}',
            environment_vars: { A: 'a ${data.x.y.z}' },
          },
        ],
      },
    });
  });

  it('says what a variable without a value stops, and where HCL cannot be read', async () => {
    const { lines } = await importFrom({ ...files, 'tf/terraform.tfvars': '' });
    expect(lines).toContain(
      'tf/main.tf:1:1 error not-imported Cannot import databricks_model_serving.this: how many there are depends on a value, and it has no default; give --var models=VALUE',
    );
    const broken = await importFrom({ 'a.tf': 'resource "databricks_model_serving" "a" {\n  name = \n}\n' });
    expect(broken.lines.join('\n')).toMatch(/a\.tf:[23]:\d+ error unreadable-file Cannot read HCL/);
  });

  it.each([
    '['.repeat(5_000),
    `\${${'('.repeat(5_000)}`,
    `${'['.repeat(5_000)}1${']'.repeat(5_000)}`,
    '-'.repeat(5_000),
  ])('survives nesting without end', async (value) => {
    const text = `resource "databricks_model_serving" "a" {\n  name = "a"\n  config { served_entities { entity_name = ${value} } }\n}\n`;
    expect((await importFrom({ 'a.tf': text })).lines).not.toEqual([]);
  });

  it('reads the JSON of a plan and of a state', async () => {
    const config = [
      {
        served_entities: [{ ...ENTITY, name: 'iris-1', workload_type: null, external_model: [] }],
        ...{ served_models: [], auto_capture_config: [] },
        traffic_config: [{ routes: [{ served_model_name: 'iris-1', traffic_percentage: 100 }] }],
      },
    ];
    const address = 'module.a.databricks_model_serving.iris[0]';
    const values = {
      name: 'iris',
      config,
      ai_gateway: [],
      tags: [],
      rate_limits: [],
      serving_endpoint_id: '7',
      id: 'iris',
    };
    const access = {
      serving_endpoint_id: '7',
      access_control: [{ group_name: 'users', permission_level: 'CAN_QUERY' }],
    };
    const resources = [
      { address, type: 'databricks_model_serving', values },
      { address: 'module.a.databricks_permissions.p', type: 'databricks_permissions', values: access },
    ];
    const module = { root_module: { child_modules: [{ resources }] } };
    for (const key of ['planned_values', 'values']) {
      const { made, lines } = await importFrom({
        'p.json': JSON.stringify({ format_version: '1.2', terraform_version: '1', [key]: module }),
      });
      expect(lines).toEqual([]);
      expect(made[0]?.value).toEqual({
        name: 'iris',
        config: {
          served_entities: [{ name: 'iris-1', ...ENTITY }],
          traffic_config: { routes: [{ served_model_name: 'iris-1', traffic_percentage: 100 }] },
        },
        davit: { permissions: [{ group_name: 'users', permission_level: 'CAN_QUERY' }] },
      });
    }
  });
});
