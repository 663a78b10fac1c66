import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importFiles } from '../../../app/import/import-files.ts';
import { importFrom } from './import-from.ts';

const CONFIGURATION = {
  '//': 'made by a program',
  terraform: { required_version: '>= 1.5' },
  variable: { models: { type: 'map(number)' }, stage: { default: 'dev "${x}"' } },
  locals: [{ prefix: '${upper("a{b}")}' }, { all: ['x', true, 2, null] }],
  resource: {
    databricks_model_serving: {
      this: [
        {
          for_each: '${var.models}',
          name: '${local.prefix == "A{B}" ? "fraud-${each.key}" : "wrong"}',
          description: 'costs $${5}, said "ann"\nin two lines \\ 100 %',
          config: {
            served_entities: [{ entity_name: 'main.ml.${each.key}', entity_version: '${each.value}' }],
          },
          dynamic: { tags: { for_each: { team: 'risk' }, content: { key: '${tags.key}', value: '${tags.value}' } } },
        },
      ],
    },
    databricks_permissions: {
      p: {
        serving_endpoint_id: '${databricks_model_serving.this["eu"].serving_endpoint_id}',
        access_control: [{ group_name: 'users', permission_level: 'CAN_QUERY' }],
      },
    },
  },
};
const HEAD =
  'variable "x" {}\nvariable "y" {}\nresource "databricks_model_serving" "a" {\n  name = "${var.x}-${var.y}"\n';
const MAIN = `${HEAD}  config {\n    served_entities {\n      entity_name = "m"\n      entity_version = 1\n    }\n  }\n}\n`;

describe('the JSON syntax of Terraform', () => {
  const files = {
    'main.tf.json': JSON.stringify(CONFIGURATION, null, 1),
    'terraform.tfvars.json': '{"models": {"eu": 3}}',
  };

  it.each([['.'], ['main.tf.json']])('is read as HCL is: %s', async (path) => {
    const { made, lines } = await importFrom(files, { paths: [path] });
    expect(lines).toEqual([]);
    expect(made.map((m) => m.value)).toEqual([
      {
        name: 'fraud-eu',
        description: 'costs ${5}, said "ann"\nin two lines \\ 100 %',
        tags: [{ key: 'team', value: 'risk' }],
        config: { served_entities: [{ entity_name: 'main.ml.eu', entity_version: '3' }] },
        davit: { permissions: [{ group_name: 'users', permission_level: 'CAN_QUERY' }] },
      },
    ]);
  });

  it('has places in the JSON, and calls modules', async () => {
    const main = {
      module: { m: { source: './m', name: 'inner' } },
      resource: {
        databricks_model_serving: {
          a: { name: 'a', config: { served_entities: { entity_name: '${data.x.y.z}', entity_version: '1' } } },
        },
      },
    };
    const inner = HEAD.replace('variable "x" {}\nvariable "y" {}', 'variable "name" {}').replace(
      '"${var.x}-${var.y}"',
      'var.name',
    );
    const { made, lines } = await importFrom({
      'main.tf.json': JSON.stringify(main, null, 1),
      'm/m.tf': `${inner}${MAIN.slice(HEAD.length)}`,
    });
    expect(made.map((m) => m.name)).toEqual(['a', 'inner']);
    expect(lines).toEqual([
      'main.tf.json:14:22 error unresolved-variable Cannot fill in "${data.x.y.z}": only Terraform knows its value',
    ]);
  });

  it.each([
    ['{"resource": [', 'bad-yaml'],
    ['{"resource": {"databricks_model_serving": {"a": {"name": "${"}}}}', 'main.tf.json:1:'],
    ['{"resource": 1, "locals": "x", "variable": [null], "module": {"m": null}}', 'Cannot find an endpoint'],
    [`{"locals": {"a": ${'['.repeat(3000)}${']'.repeat(3000)}}}`, 'main.tf.json'],
  ])('is reported where it is wrong: %s', async (text, expected) => {
    const { lines } = await importFrom({ 'main.tf.json': text });
    expect(lines.join('\n')).toContain(expected);
  });
});

it('reads value files as Terraform orders them, those that are given last', async () => {
  const files = {
    'main.tf': MAIN,
    'terraform.tfvars': 'x = "1"\ny = "1"\n',
    'terraform.tfvars.json': '{"y": "2"}',
    'b.auto.tfvars.json': '{"y": "${3}"}',
    'a.auto.tfvars': 'y = "wrong"\n',
    'prod.tfvars': 'x = "prod"\n',
  };
  const automatic = await importFrom(files);
  expect(automatic.lines.join('\n')).toContain('Cannot keep the name "1-${3}"');
  const { request, cwd } = automatic;
  const given = await importFiles({
    ...request,
    valueFiles: [join(cwd, 'prod.tfvars'), join(cwd, 'none.tfvars')],
    variables: new Map([['y', '4']]),
  });
  expect(given.endpoints[0]?.name).toBe('prod-4');
  expect(given.diagnostics.map((d) => `${d.file} ${d.code}`)).toEqual(['none.tfvars unreadable-file']);
});
