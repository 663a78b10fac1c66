import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importFiles } from '../../../app/import/import-files.ts';
import { importFrom } from './import-from.ts';

const config =
  'config {\n served_entities {\n entity_name = "m"\n entity_version = 1\n scale_to_zero_enabled = true\n }\n }';
const endpoint = (label: string, head: string) =>
  `resource "databricks_model_serving" "${label}" {\n${head}\n${config}\n}\n`;
const permissions = (label: string, head: string, group = 'users', level = 'CAN_QUERY') =>
  `resource "databricks_permissions" "${label}" {\n${head}\naccess_control {\ngroup_name = "${group}"\npermission_level = "${level}"\n}\n}\n`;
const all = 'for_each = toset(["alpha", "beta"])\nname = each.key';
const id = (of: string) => `serving_endpoint_id = ${of}.serving_endpoint_id`;
const THIS = 'databricks_model_serving.this';

async function importTerraform(
  files: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>> = {},
) {
  const { made, ...rest } = await importFrom(files, { paths: ['.'], variables: new Map(Object.entries(variables)) });
  const groups = made.map((m) => {
    const { davit } = m.value as { davit?: { permissions: readonly { group_name: string }[] } };
    return [m.name, davit?.permissions.map((p) => p.group_name).join(',')];
  });
  return { ...rest, made, groups: Object.fromEntries(groups) as Record<string, string | undefined> };
}

describe('permissions', () => {
  it.each([
    ['one index', id(`${THIS}["alpha"]`), { alpha: 'users', beta: undefined }],
    ['the same keys', `for_each = toset(["beta"])\n${id(`${THIS}[each.key]`)}`, { alpha: undefined, beta: 'users' }],
    ['the endpoints', `for_each = ${THIS}\n${id('each.value')}`, { alpha: 'users', beta: 'users' }],
    [
      'a condition',
      `for_each = ${THIS}\nserving_endpoint_id = each.key == "beta" ? each.value.id : "x"`,
      { beta: 'users' },
    ],
    ['a local value', 'serving_endpoint_id = local.ids["beta"]', { alpha: undefined, beta: 'users' }],
    ['an interpolation', `serving_endpoint_id = "\${lookup(local.ids, "beta")}"`, { alpha: undefined, beta: 'users' }],
  ])('go to the right instance: by %s', async (_what, head, expected) => {
    const locals = `locals {\nids = { alpha = ${THIS}["alpha"].id, beta = ${THIS}["beta"].id }\n}\n`;
    const { groups } = await importTerraform({ 'a.tf': endpoint('this', all) + permissions('p', head) + locals });
    expect(groups).toMatchObject(expected);
  });

  it('differ by instance', async () => {
    const head = `for_each = { alpha = "a", beta = "b" }\n${id(`${THIS}[each.key]`)}`;
    const text = permissions('p', head).replace('"users"', 'each.value');
    const { groups, lines } = await importTerraform({ 'a.tf': endpoint('this', all) + text });
    expect([groups, lines]).toEqual([{ alpha: 'a', beta: 'b' }, []]);
  });

  it('are reported where the endpoint is not known', async () => {
    const heads = [id(THIS), id(`${THIS}["gamma"]`), 'serving_endpoint_id = var.id', `count = var.n\n${id(THIS)}`];
    const text = [...heads, 'cluster_id = var.id'].map((head, i) => permissions(`p${i}`, head)).join('');
    const { groups, lines } = await importTerraform({ 'a.tf': endpoint('this', all) + text });
    expect(groups).toEqual({ alpha: undefined, beta: undefined });
    expect(lines.filter((line) => line.includes('it is not known which endpoint it is about'))).toHaveLength(4);
    expect(lines).toHaveLength(4);
  });

  it('follow the outputs and inputs of modules', async () => {
    const { groups, lines } = await importTerraform({
      'main.tf': `module "m" {\nsource = "./m"\nfor_each = toset(["a", "b"])\nprefix = each.key\n}
module "access" {\nsource = "./access"\nid = module.m["b"].id\n}\n${permissions('p', 'serving_endpoint_id = module.m["a"].id', 'root')}`,
      'm/m.tf': `variable "prefix" {}\n${endpoint('this', 'name = "${var.prefix}-x"')}${permissions('own', id(THIS), 'own')}output "id" {\nvalue = ${THIS}.id\n}\n`,
      'access/a.tf': `variable "id" {}\n${permissions('p', 'serving_endpoint_id = var.id', 'access')}`,
    });
    expect([groups, lines]).toEqual([{ 'a-x': 'root,own', 'b-x': 'own,access' }, []]);
  });
});

describe('plans', () => {
  const config = [{ served_entities: [{ entity_name: 'm', entity_version: '1', scale_to_zero_enabled: true }] }];
  const serving = (address: string, name: string) => ({
    address,
    type: 'databricks_model_serving',
    values: { name, config },
  });
  const access = (address: string, group: string) => ({
    ...{ address, type: 'databricks_permissions' },
    values: { access_control: [{ group_name: group, permission_level: 'CAN_QUERY' }] },
  });
  const refersTo = (label: string, references: readonly string[], more = {}) => ({
    address: `databricks_permissions.${label}`,
    expressions: { serving_endpoint_id: { references } },
    ...more,
  });

  it('give permissions to the right instance, in modules too, and report the others', async () => {
    const resources = [
      serving(`${THIS}["alpha"]`, 'alpha'),
      serving(`${THIS}["be.ta"]`, 'beta'),
      ...['each["alpha"]', 'each["be.ta"]', 'fixed', 'value["alpha"]', 'out', 'unclear'].map((label) =>
        access(`databricks_permissions.${label}`, label.replace(/\[.*/, '')),
      ),
      { address: 'databricks_permissions.cluster', type: 'databricks_permissions', values: { cluster_id: '1' } },
    ];
    const inner = [
      serving('module.m[0].databricks_model_serving.this', 'inner'),
      access('module.m[0].databricks_permissions.own', 'own'),
      access('module.m[0].databricks_permissions.given', 'given'),
    ];
    const fixed = `${THIS}["be.ta"]`;
    const module = {
      resources: [refersTo('own', [`${THIS}.id`, THIS]), refersTo('given', ['var.id'])],
      outputs: { id: { expression: { references: [`${THIS}.id`, THIS] } } },
    };
    const configuration = {
      root_module: {
        resources: [
          refersTo('each', [THIS, 'each.key']),
          refersTo('fixed', [`${fixed}.serving_endpoint_id`, fixed, THIS]),
          refersTo('value', ['each.value.id', 'each.value'], { for_each_expression: { references: [THIS] } }),
          refersTo('out', ['module.m[0].id', 'module.m[0]', 'module.m']),
          refersTo('unclear', [THIS, 'local.key']),
        ],
        module_calls: {
          m: { module, expressions: { id: { references: [`${THIS}["alpha"].id`, `${THIS}["alpha"]`, THIS] } } },
        },
      },
    };
    const planned_values = { root_module: { resources, child_modules: [{ resources: inner }] } };
    const { groups, lines } = await importPlan({ planned_values, configuration });
    expect(groups).toEqual({ alpha: 'each,value,given', beta: 'each,fixed', inner: 'out,own' });
    expect(lines.map((line) => line.split(' Cannot ')[1])).toEqual([
      'import databricks_permissions.unclear: it is not known which endpoint it is about: the plan does not say it',
    ]);
  });

  async function importPlan(plan: object) {
    const { made, lines } = await importFrom({ 'p.json': JSON.stringify({ terraform_version: '1', ...plan }) });
    const groups = made.map((m) => {
      const { davit } = m.value as { davit?: { permissions: readonly { group_name: string }[] } };
      return [m.name, davit?.permissions.map((p) => p.group_name).join(',')];
    });
    return { lines, groups: Object.fromEntries(groups) as Record<string, string | undefined> };
  }
});

describe('values', () => {
  it('convert texts to booleans and numbers as Terraform does', async () => {
    const head = `count = var.create && !var.skip ? 1 : 0\nname = var.typed == true ? "yes-\${var.n + 1}" : "no"`;
    const declared = ['create', 'skip'].map((name) => `variable "${name}" {}\n`).join('');
    const typed = 'variable "typed" {\ntype = bool\n}\nvariable "n" {\ntype = number\n}\n';
    const files = { 'a.tf': declared + typed + endpoint('a', head) };
    const values = { create: 'true', skip: 'false', typed: 'true', n: '2' };
    const { groups, lines } = await importTerraform(files, values);
    expect([Object.keys(groups), lines]).toEqual([['yes-3'], []]);
    const wrong = await importTerraform(files, { ...values, create: 'on' });
    expect(wrong.lines.join()).toContain('"on" is not a boolean, expected true or false');
  });

  it('come from terraform.tfvars, then *.auto.tfvars, only for the named folder; other files are reported', async () => {
    const { groups, lines } = await importTerraform({
      'a.tf': `variable "x" {}\nvariable "y" {}\n${endpoint('a', 'name = "${var.x}-${var.y}"')}module "m" {\nsource = "./m"\n}\n`,
      'm/m.tf': `variable "x" {\ndefault = "own"\n}\n${endpoint('b', 'name = var.x')}`,
      'm/terraform.tfvars': 'x = "wrong"\n',
      'a.auto.tfvars': 'x = "auto"\n',
      'terraform.tfvars': 'x = "first"\ny = "first"\n',
      'prod.tfvars': '',
      'b.tfvars.json': '{}',
      'override.tf': '',
      'b_override.tf.json': '{}',
    });
    expect(Object.keys(groups)).toEqual(['auto-first', 'own']);
    expect(lines.map((line) => line.split(' ').slice(0, 6).join(' '))).toEqual([
      'b.tfvars.json:1:1 warning not-imported Cannot import b.tfvars.json:',
      'b_override.tf.json:1:1 warning not-imported Cannot import b_override.tf.json:',
      'override.tf:1:1 warning not-imported Cannot import override.tf:',
      'prod.tfvars:1:1 warning not-imported Cannot import prod.tfvars:',
    ]);
  });

  it('survive locals that double without end, refer to themselves, or call functions of JavaScript', async () => {
    const times = (item: string) => Array.from({ length: 10 }, () => item).join(',');
    const levels = Array.from({ length: 30 }, (_, i) => i + 1);
    const texts = levels.map((i) => `t${i} = "${times(`\${local.t${i - 1}}`)}"\n`).join('');
    const lists = levels.map((i) => `l${i} = [${times(`local.l${i - 1}`)}]\n`).join('');
    const locals = `locals {\nt0 = "xx"\nl0 = "xx"\n${texts}${lists}c = local.d\nd = local.c\n}\n`;
    const names = ['local.t30', 'local.l30', 'local.c', 'toString(5)', 'constructor.name', 'join("-", [data.x.y.z])'];
    const text = names.map((name, i) => endpoint(`e${i}`, `name = ${name}`)).join('');
    const { lines } = await importTerraform({ 'a.tf': locals + text });
    for (const why of ['its value is too large', 'refers to itself', 'toString()', 'only Terraform knows its value'])
      expect(lines.join('\n')).toContain(why);
    expect(lines.filter((line) => line.includes('Cannot keep the name'))).toHaveLength(names.length);
  });
});

describe('modules', () => {
  const called = { 'm/m.tf': `variable "n" {}\n${endpoint('e', 'name = "e-${var.n}"')}` };

  it('have the instances of count and for_each, without a limit that goes unnoticed', async () => {
    const call = (n: number) => ({
      ...called,
      'a.tf': `module "m" {\nsource = "./m"\ncount = ${n}\nn = count.index\n}\n`,
    });
    expect(Object.keys((await importTerraform(call(51))).groups)).toHaveLength(51);
    expect((await importTerraform(call(0))).groups).toEqual({});
    expect((await importTerraform(call(5000))).lines.join()).toContain('its count is not a number from 0 to 1000');
    const circle = { 'a.tf': 'module "m" {\nsource = "./m"\n}\n', 'm/m.tf': 'module "up" {\nsource = "../"\n}\n' };
    expect((await importTerraform(circle)).lines.join()).toContain('the module in ../ calls itself');
  });

  it('are read once if their folder is named as well as the folder that calls them', async () => {
    const files = { ...called, 'a.tf': 'module "m" {\nsource = "./m"\nn = 1\n}\n' };
    const { made, lines } = await importFrom(files, { paths: ['a.tf', 'm'] });
    expect([made.map((m) => m.name), lines]).toEqual([['e-1'], []]);
  });

  it('report files that cannot be read, and ignore folders with such names', async () => {
    const { request, cwd } = await importTerraform({
      'a.tf': endpoint('a', 'name = "a"'),
      'terraform.tfvars': 'a = [',
    });
    await symlink('nowhere', join(cwd, 'dangling.tf'));
    await mkdir(join(cwd, 'folder.tf'));
    const { diagnostics, endpoints } = await importFiles(request);
    expect(endpoints).toMatchObject([{ name: 'a' }]);
    expect(diagnostics.map((d) => `${d.file} ${d.code}`)).toEqual([
      'dangling.tf unreadable-file',
      'terraform.tfvars unreadable-file',
    ]);
  });
});
