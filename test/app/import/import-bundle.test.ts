import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importFiles } from '../../../app/import/import-files.ts';
import { importFrom } from './import-from.ts';

const endpoint = (more: string) => `resources:
  model_serving_endpoints:
    fraud:
      name: fraud
      config: { served_entities: [{ entity_name: fraud, entity_version: 1, scale_to_zero_enabled: true }] }
      ${more}
`;

describe('a target', () => {
  const bundle = `${endpoint('permissions: [{ level: CAN_QUERY, group_name: users }]')}targets:
  dev: { default: true, variables: { a: 1 } }
  prod:
    resources:
      model_serving_endpoints:
        fraud: { description: live, name: null, permissions: [{ level: CAN_MANAGE, group_name: ops }] }
`;

  it('joins lists, and null keeps the value of the bundle, as in Databricks', async () => {
    const { made, lines } = await importFrom({ 'databricks.yml': bundle }, { target: 'prod' });
    expect(lines).toEqual([]);
    expect(made[0]?.value).toMatchObject({
      ...{ name: 'fraud', description: 'live' },
      davit: {
        permissions: [
          { group_name: 'users', permission_level: 'CAN_QUERY' },
          { group_name: 'ops', permission_level: 'CAN_MANAGE' },
        ],
      },
    });
  });

  it('is reported where none is chosen', async () => {
    const { lines } = await importFrom({ 'databricks.yml': bundle });
    expect(lines).toEqual([
      "databricks.yml:8:3 warning not-imported Cannot import the values of the bundle's targets dev (the default), prod: no target is chosen",
    ]);
  });
});

describe('files', () => {
  const files = { 'databricks.yml': 'include: [resources/*.yml]\n', 'resources/fraud.yml': endpoint('') };

  it('are read once if a named bundle includes them, and may name the same endpoint twice', async () => {
    const { made, lines } = await importFrom(files, { paths: ['databricks.yml', 'resources/fraud.yml'] });
    expect([lines, made.map((m) => m.status)]).toEqual([[], ['written']]);
    const same = { 'a/fraud.yml': endpoint(''), 'b/fraud.yml': endpoint('') };
    const twice = await importFrom(same, { paths: Object.keys(same) });
    expect([twice.lines, twice.made.map((m) => m.status)]).toEqual([[], ['written', 'unchanged']]);
  });

  it('that cannot be read are reported, whether a bundle includes them or they are in its folder', async () => {
    const { request, cwd } = await importFrom({ ...files, 'resources/broken.yml': 'a: [' });
    await symlink('nowhere', join(cwd, 'resources/dangling.yml'));
    await mkdir(join(cwd, 'databricks.yaml'));
    const { diagnostics, endpoints } = await importFiles(request);
    expect(endpoints).toHaveLength(1);
    expect(diagnostics.map((d) => `${d.file} ${d.code}`)).toEqual([
      'resources/broken.yml bad-yaml',
      'resources/dangling.yml unreadable-file',
    ]);
    expect(await importFiles({ ...request, paths: ['.'], dryRun: true })).toMatchObject({ endpoints: [{}] });
  });
});

describe('bodies', () => {
  it('keep empty texts of variables and tags, and fields with names of JavaScript', async () => {
    const { made, lines } = await importFrom({
      'a.yml': `name: a
tags: { team: "" }
config:
  served_entities:
    - entity_name: a
      entity_version: 1
      scale_to_zero_enabled: true
      constructor: 1
      toString: 2
      environment_vars: { EMPTY: "", constructor: x, NOTHING: null }
`,
    });
    expect(lines.map((line) => line.split(' not-imported ')[1])).toEqual([
      'Cannot import "config.served_entities[0].constructor" of "a": an endpoint file has no such field',
      'Cannot import "config.served_entities[0].toString" of "a": an endpoint file has no such field',
    ]);
    expect(made[0]?.value).toMatchObject({
      tags: [{ key: 'team', value: '' }],
      config: { served_entities: [{ environment_vars: { EMPTY: '', constructor: 'x' } }] },
    });
    expect(made[0]?.text).not.toContain('NOTHING');
  });

  it('survive variables that double without end', async () => {
    const times = (item: string) => Array.from({ length: 10 }, () => item).join(',');
    const levels = Array.from({ length: 30 }, (_, i) => i + 1);
    const texts = levels.map((i) => `  t${i}: { default: "${times(`\${var.t${i - 1}}`)}" }\n`).join('');
    const lists = levels.map((i) => `  l${i}: { default: [${times(`"\${var.l${i - 1}}"`)}] }\n`).join('');
    const variables = `variables:\n  t0: { default: xx }\n  l0: { default: xx }\n${texts}${lists}`;
    const fields = 'description: "${var.t30}"\n      tags: "${var.l30}"\n      task: "${var.t3}"';
    const { lines } = await importFrom({ 'databricks.yml': variables + endpoint(fields) });
    expect(lines.filter((line) => line.includes('its value is too large'))).toHaveLength(2);
  });
});

describe('settings of the whole bundle', () => {
  const shared = `permissions:
  - { level: CAN_RUN, group_name: users }
  - { level: CAN_MANAGE, group_name: ops }
`;
  const targets = (settings: string) => `targets:\n  dev:\n    ${settings}\n`;
  const model = `  registered_models: { m: { name: fraud } }
  model_serving_endpoints:
    fraud:
      name: fraud
      config: { served_entities: [{ entity_name: "main.ml.\${resources.registered_models.m.name}", entity_version: 1 }] }
`;
  const read = async (bundle: string) => {
    const { made, lines } = await importFrom({ 'databricks.yml': bundle }, { target: 'dev' });
    const { name, config } = made[0]?.value as { name: string; config: { served_entities: { entity_name: string }[] } };
    return { name, entity: config.served_entities[0]?.entity_name, lines };
  };

  it('gives its permissions to every endpoint, except to principals that the endpoint names', async () => {
    const own = endpoint('permissions: [{ level: CAN_VIEW, group_name: ops }]');
    const { made, lines } = await importFrom({ 'databricks.yml': shared + own });
    expect(lines).toEqual([]);
    expect(made[0]?.value).toMatchObject({
      davit: {
        permissions: [
          { group_name: 'ops', permission_level: 'CAN_VIEW' },
          { group_name: 'users', permission_level: 'CAN_QUERY' },
        ],
      },
    });
  });

  it('joins the permissions of the target', async () => {
    const more = targets('permissions: [{ level: CAN_VIEW, user_name: ann@acme.example }]');
    const { made } = await importFrom({ 'databricks.yml': shared + endpoint('') + more }, { target: 'dev' });
    expect(made[0]?.text).toContain('ann@acme.example');
  });

  it.each([
    ['"[dev ann] "', 'dev_ann_fraud'],
    ['team-a-', 'team_afraud'],
    ['"[${bundle.target}] Team B"', 'dev_team_bfraud'],
    ['""', 'fraud'],
  ])('names endpoints and models with presets.name_prefix %s as Databricks does', async (prefix, name) => {
    const { lines, ...found } = await read(`resources:\n${model}${targets(`presets: { name_prefix: ${prefix} }`)}`);
    expect([found, lines]).toEqual([{ name, entity: `main.ml.${name}` }, []]);
  });

  it('leaves out the name of the user, which is the prefix for development, and says so', async () => {
    const { name, lines } = await read(`resources:\n${model}${targets('mode: development')}`);
    expect(name).toBe('fraud');
    expect(lines).toContain(
      'databricks.yml:9:11 warning not-imported Cannot import the prefix of the names: only Databricks knows its value. It is left out',
    );
    expect(lines.join('\n')).toContain('error unresolved-variable Cannot fill in');
  });
});
