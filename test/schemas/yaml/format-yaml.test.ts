import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatFiles } from '../../../app/format-files.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import { endpointFile } from '../../../schemas/endpoint/endpoint-file.ts';
import { formatYaml } from '../../../schemas/yaml/format-yaml.ts';

const UNTIDY = `# yaml-language-server: $schema=schema.json
# about the file
config:
    # about traffic
    traffic_config: {routes: [ {traffic_percentage: 100, served_entity_name: iris} ]} # all of it

    # about entities
    served_entities:
    # about the entity
    -   entity_version: '2'   # the newest
        # about the name
        entity_name: iris
        name: iris
        environment_vars:
          Z: 'it''s'
          # about A
          A: |
            # not a comment
            text
        unknown: 'say "no"'
name: iris
# the end
`;
const TIDY = `# yaml-language-server: $schema=schema.json
# about the file

name: iris
config:
  # about entities
  served_entities:
    # about the entity
    - name: iris
      # about the name
      entity_name: iris
      entity_version: "2" # the newest
      environment_vars:
        Z: "it's"
        # about A
        A: |
          # not a comment
          text
      unknown: 'say "no"'
  # about traffic
  traffic_config: { routes: [{ served_entity_name: iris, traffic_percentage: 100 }] } # all of it

# the end
`;

/** Each comment is above the field or the item in whose column it is, also below a nested block. */
const COMMENTED = `config:
  served_entities:
    - entity_version: "1"
      # the name of a
      name: a
      # the end of a
    # about b
    - environment_vars:
        A: b
      # the name of b
      name: b # inline

# about tags
# in two lines
tags:
- value: x
  key: a
# about the second tag
- value: y
  key: b
# about the name
name: x
# the end
`;
const ABOVE: readonly (readonly [string, string])[] = [
  ['# the name of a', '- name: a'],
  ['# about b', '# the name of b'],
  ['# the name of b', '- name: b # inline'],
  ['# in two lines', 'tags:'],
  ['# about the second tag', '- key: b'],
  ['# about the name', 'name: x'],
];

test('formatYaml() keeps a comment above its field when it sorts', () => {
  const lines =
    format(COMMENTED)
      ?.split('\n')
      .map((line) => line.trim()) ?? [];
  expect(ABOVE.map(([comment]) => [comment, lines[lines.indexOf(comment) + 1]])).toEqual(ABOVE);
  expect(lines[0]).toBe('# about the name');
  expect(lines.at(-2)).toBe('# the end');
  expect(lines.indexOf('# the end of a')).toBe(lines.indexOf('# about b') - 1);
});

const format = (text: string) => formatYaml(text, endpointFile);

test('formatYaml() orders fields as in the schema and keeps every comment and value', () => {
  expect(format(UNTIDY)).toBe(TIDY);
});

test.each([
  ['a canonical file', TIDY],
  ['anchors, whose aliases must stay behind them', 'config:\n  a: &x [1]\n  b: *x\nname: iris\n'],
  [
    'numbers and quotes that matter',
    'name: "1"\ntags:\n  - { key: "yes", value: "1.10" }\nx: 1.10\ny: 0x1f\nw: 12345678901234567890\nv: 1e3\nu: True\nz: ~\nt:\n  -\n  - >-\n    a b\n',
  ],
  ['two comments at the top', '# one\n\n# two\nname: iris\n'],
])('formatYaml() leaves %s', (_, text) => {
  expect(format(text)).toBe(text);
});

test('formatYaml() takes away byte order marks, carriage returns and more than one blank line', () => {
  expect(format('\uFEFFname: iris\r\n\r\n\r\ndescription: x   \r\n')).toBe('name: iris\n\ndescription: x\n');
});

test.each(['a: [1', 'a: *b\n', 'a: 1\na: 2\n', ''])('formatYaml() does not touch %j', (text) => {
  expect(format(text)).toBeUndefined();
});

/** Takes away, repeats, moves and comments lines, always in the same way. */
function mutate(text: string, seed: number): string {
  let state = seed;
  const next = (below: number) => (state = (state * 1103515245 + 12345) % 2 ** 31) % below;
  const lines = text.split('\n');
  for (let change = 0; change <= next(3); change++) {
    const at = next(lines.length);
    const edits = [
      () => lines.splice(at, 1),
      () => lines.splice(at, 0, lines[next(lines.length)] ?? ''),
      () => lines.splice(at, 0, `${' '.repeat(next(8))}# comment ${seed}`),
      () => (lines[at] = `${lines[at] ?? ''} # tail`),
      () => lines.splice(at, 0, ''),
    ];
    edits[next(edits.length)]?.();
  }
  return lines.join('\n');
}

test('formatYaml(): twice is once, and the endpoint is the same, whatever the file looks like', () => {
  const comments = (text: string) => text.split('# comment').length + text.split('# tail').length;
  const resolve = (text: string) =>
    JSON.stringify(parseEndpoint(text, 'iris.yaml').endpoint, (k, v: unknown) =>
      k === 'place' || k === 'places' ? 0 : v,
    );
  let count = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const text = mutate(seed % 2 ? UNTIDY : TIDY, seed);
    const once = format(text);
    if (once === undefined) continue;
    count += 1;
    expect(format(once)).toBe(once);
    expect(resolve(once)).toBe(resolve(text));
    expect(comments(once)).toBe(comments(text));
  }
  expect(count).toBeGreaterThan(20);
});

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'davit-fmt-'));
  await mkdir(join(root, 'endpoints'));
  await mkdir(join(root, 'environments'));
  await writeFile(join(root, 'real.yaml'), UNTIDY);
  await chmod(join(root, 'real.yaml'), 0o600);
  await symlink('../real.yaml', join(root, 'endpoints/iris.yaml'));
  await writeFile(join(root, 'endpoints/broken.yaml'), 'name: [');
  await writeFile(join(root, 'environments/local.yaml'), "target: 'local'\nname: local\n");
});
afterAll(() => rm(root, { recursive: true }));

test('formatFiles() writes through links, keeps rights, reports what is no YAML, and only reports with checkOnly', async () => {
  const options = { cwd: root, root: () => root, checkOnly: true };
  const first = await formatFiles([], options);
  expect(first.files).toEqual([
    { file: 'endpoints/iris.yaml', changed: true },
    { file: 'environments/local.yaml', changed: true },
  ]);
  expect(first.diagnostics.map((d) => [d.file, d.code])).toEqual([['endpoints/broken.yaml', 'bad-yaml']]);
  expect(await readFile(join(root, 'real.yaml'), 'utf8')).toBe(UNTIDY);
  await formatFiles([], { ...options, checkOnly: false });
  expect(await readFile(join(root, 'real.yaml'), 'utf8')).toBe(TIDY);
  expect((await stat(join(root, 'real.yaml'))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(root, 'environments/local.yaml'), 'utf8')).toBe('name: local\ntarget: "local"\n');
  expect((await formatFiles(['endpoints/iris.yaml'], options)).files).toEqual([
    { file: 'endpoints/iris.yaml', changed: false },
  ]);
});

test('formatFiles() writes through no link that leaves the project, and leaves files of other formats', async () => {
  const project = await mkdtemp(join(root, 'project-'));
  await mkdir(join(project, 'endpoints'));
  await mkdir(join(root, 'elsewhere'));
  await writeFile(join(root, 'elsewhere/environment.yaml'), "target: 'local'\nname: local\n");
  await symlink('../../real.yaml', join(project, 'endpoints/link.yaml'));
  await symlink('../elsewhere', join(project, 'environments'));
  const bundle = "resources: {model_serving_endpoints: {}}\nbundle: {name: 'x'}\n";
  await writeFile(join(project, 'endpoints/bundle.yml'), bundle);
  await writeFile(join(root, 'real.yaml'), UNTIDY);
  const { files, diagnostics } = await formatFiles([], { cwd: project, root: () => project, checkOnly: false });
  expect(files).toEqual([]);
  expect(diagnostics.map((d) => [d.file, d.code])).toEqual([
    ['endpoints/bundle.yml', 'foreign-file'],
    ['endpoints/link.yaml', 'unreadable-file'],
    ['environments/environment.yaml', 'unreadable-file'],
  ]);
  expect(await readFile(join(root, 'real.yaml'), 'utf8')).toBe(UNTIDY);
  expect(await readFile(join(project, 'endpoints/bundle.yml'), 'utf8')).toBe(bundle);
});
