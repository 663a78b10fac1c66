import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EXPLANATIONS } from '../../schemas/explanations/explanations.ts';
import { programPath } from '../../system/code.ts';
import { runDavit } from './run-davit.ts';

let project = '';

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'davit-cli-'));
  for (const folder of ['endpoints', 'environments']) mkdirSync(join(project, folder));
  writeFileSync(join(project, 'Pulumi.yaml'), 'name: davit\n');
  writeFileSync(join(project, 'environments', 'local.yaml'), 'name: local\ntarget: local\n');
  writeFileSync(join(project, 'endpoints', 'good.yaml'), endpoint('good'));
});
afterAll(() => rmSync(project, { recursive: true }));

const endpoint = (name: string) =>
  `name: ${name}\nconfig:\n  served_entities:\n    - entity_name: iris\n      entity_version: "1"\n`;

/** Without the line about where the codes are explained, which has a test of its own. */
async function davit(...args: readonly string[]) {
  const { status, stdout, stderr } = await runDavit(project, ...args);
  return { status, stdout, stderr: stderr.replace(/^Explained by .*\n/m, '') };
}

/** Starts the program itself. */
function start(...args: readonly string[]) {
  return spawnSync(process.execPath, [programPath('cli', 'main.ts'), ...args], { cwd: project, encoding: 'utf8' });
}

describe('davit', () => {
  it('without a verb says which there are, as wrong usage', () => {
    const { status, stdout } = start();
    expect(status).toBe(2);
    expect(stdout).toContain('davit VERB [NAME…] [OPTIONS]');
  });

  it('refuses a wrong variable of the policy with exit code 2', async () => {
    for (const variable of ['DAVIT_ADVISORIES', 'DAVIT_PICKLES']) {
      vi.stubEnv(variable, 'off');
      const { status, stderr } = await davit('validate', 'good');
      vi.unstubAllEnvs();
      expect([status, stderr]).toEqual([2, expect.stringContaining(`Cannot use ${variable}: it is "off"`)]);
    }
  });

  it('refuses an unknown verb and an unknown option with exit code 2', async () => {
    expect(await davit('frobnicate')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('Cannot run "frobnicate": expected one of init, check') as string,
    });
    expect((await davit('destroy')).stderr).toContain('did you mean "npx davit down"?\nTry: npx davit --help');
    expect((await davit('reveiw')).stderr).toContain('did you mean "npx davit review"?');
    expect(await davit('check', '--fast')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("Unknown option '--fast'") as string,
    });
  });

  it('prints usage errors as one document with --json', async () => {
    const { status, stdout } = await davit('check', '--fast', '--json');
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'check',
      diagnostics: [],
      result: null,
      error: { message: expect.stringContaining('--fast') as string },
    });
  });

  it('outside a project says what it looked for', async () => {
    const { status, stderr } = await runDavit(tmpdir(), 'check');
    expect(status).toBe(2);
    expect(stderr).toContain('expected a folder with endpoints/ (npx davit init makes one), or --project FOLDER');
  });
});

describe('davit check', () => {
  it('is content with good files', async () => {
    expect(await davit('check')).toEqual({
      status: 0,
      stdout: '1 endpoint file and 1 environment file checked: all fine\n',
      stderr: '',
    });
  });

  it('shows every mistake of every file with exit code 1', async () => {
    mkdirSync(join(project, 'bad'));
    writeFileSync(join(project, 'bad', 'a.yaml'), `${endpoint('a')}foo: 1\nbar: 2\n`);
    writeFileSync(join(project, 'bad', 'b.yml'), endpoint('c'));
    writeFileSync(join(project, 'bad', 'A.yaml'), endpoint('A'));
    const { status, stderr } = await davit('check', 'bad');
    expect(status).toBe(1);
    expect(stderr).toBe(
      [
        'bad/a.yaml:1:7 error duplicate-name Cannot have a second endpoint named "a": bad/A.yaml has that name',
        '    Rename one of the two',
        'bad/a.yaml:6:1 error unknown-field Cannot accept "foo" here: there is no such field',
        '    Valid fields: name, description, tags, config, route_optimized, ai_gateway, rate_limits, davit',
        'bad/a.yaml:7:1 error unknown-field Cannot accept "bar" here: there is no such field',
        '    Valid fields: name, description, tags, config, route_optimized, ai_gateway, rate_limits, davit',
        'bad/b.yml:1:1 error name-mismatch Cannot use bad/b.yml as an endpoint file: expected the name c.yaml',
        '    Rename the file',
        '',
      ].join('\n'),
    );
  });

  it('prints one JSON document and nothing else with --json', async () => {
    writeFileSync(join(project, 'one.yaml'), `name: one\n`);
    const { status, stdout, stderr } = await davit('check', 'one.yaml', 'none.yaml', '--json');
    expect(status).toBe(1);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      command: 'check',
      diagnostics: [
        {
          code: 'unreadable-file',
          severity: 'error',
          file: 'none.yaml',
          line: 1,
          column: 1,
          message: 'Cannot read none.yaml: there is no such file or folder',
        },
        {
          code: 'missing-field',
          severity: 'error',
          file: 'one.yaml',
          line: 1,
          column: 1,
          message: 'Cannot find "config": expected a map',
        },
      ],
      result: { files: [{ file: 'one.yaml', endpoint: null }] },
    });
  });

  it('goes on beside what cannot be read', async () => {
    const folder = join(project, 'odd');
    mkdirSync(join(folder, 'd.yaml'), { recursive: true });
    symlinkSync('b.yaml', join(folder, 'a.yaml'));
    symlinkSync('a.yaml', join(folder, 'b.yaml'));
    symlinkSync('nowhere', join(folder, 'c.yaml'));
    writeFileSync(join(folder, 'e.YAML'), endpoint('e'));
    const { status, stdout, stderr } = await davit('check', folder);
    expect(status).toBe(1);
    expect(stdout).toBe('5 endpoint files checked: 5 files have errors\n');
    expect(stderr).toBe(
      [
        'odd/a.yaml:1:1 error unreadable-file Cannot read odd/a.yaml: its symbolic links form a loop',
        'odd/b.yaml:1:1 error unreadable-file Cannot read odd/b.yaml: its symbolic links form a loop',
        'odd/c.yaml:1:1 error unreadable-file Cannot read odd/c.yaml: there is no such file or folder',
        'odd/d.yaml:1:1 error unreadable-file Cannot read odd/d.yaml: it is a folder, expected a file',
        'odd/e.YAML:1:1 error name-mismatch Cannot use odd/e.YAML as an endpoint file: expected the name e.yaml',
        '    Rename the file',
        '',
      ].join('\n'),
    );
  });

  it('refuses a folder without YAML files that is named, and calls files by the name they were given', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'davit-elsewhere-'));
    const { status, stderr } = await davit('check', elsewhere);
    rmSync(elsewhere, { recursive: true });
    expect(status).toBe(1);
    expect(stderr).toBe(
      `${elsewhere}:1:1 error unknown-endpoint Cannot find an endpoint: there is no YAML file in ${elsewhere}/ itself\n    Folders below it are not looked into\n`,
    );
  });

  it('checks the environments of the project too', async () => {
    writeFileSync(join(project, 'environments', 'staging.yaml'), 'name: staging\ntarget: moon\n');
    const { status, stderr } = await davit('check');
    rmSync(join(project, 'environments', 'staging.yaml'));
    expect(status).toBe(1);
    expect(stderr).toContain('environments/staging.yaml:2:9 error bad-value');
  });

  it('knows an environment that is named by its folder', async () => {
    writeFileSync(join(project, 'environments', 'staging.yaml'), 'name: staging\ntarget: moon\n');
    const { status, stderr } = await davit('check', 'environments/staging.yaml');
    rmSync(join(project, 'environments', 'staging.yaml'));
    expect(status).toBe(1);
    expect(stderr.split('\n')).toEqual([
      'environments/staging.yaml:2:9 error bad-value Cannot accept "moon" for "target": expected local or kubernetes',
      '',
    ]);
    expect(await davit('check', 'environments')).toEqual({
      status: 0,
      stdout: '1 environment file checked: all fine\n',
      stderr: '',
    });
  });
});

describe('davit explain', () => {
  it.each(['unreadable-file', 'unknown-endpoint'] as const)(
    'has the line on the page of %s from the command there',
    async (code) => {
      const { command, says } = EXPLANATIONS[code].example;
      expect((await davit(...command.split(' ').slice(1))).stderr.split('\n')).toContain(says);
    },
  );

  it('is named below diagnostics, with the page among the files of Davit', () => {
    const { status, stdout, stderr } = start('check', 'none.yaml');
    expect([status, stdout]).toEqual([1, 'No file was checked\n']);
    const [, page = ''] = /^Explained by npx davit explain unreadable-file \((.*)\)$/m.exec(stderr) ?? [];
    expect(readFileSync(page, 'utf8')).toContain('# unreadable-file');
  });

  it('prints pages and stages, and finds the code that somebody meant', async () => {
    expect((await davit('explain', 'traffic-sum')).stdout).toContain('## Repair');
    expect((await davit('explain', 'schedule')).stdout).toContain('No node can run it');
    const { diagnostics, result } = JSON.parse((await davit('explain', 'load', '--json')).stdout) as Record<
      string,
      unknown
    >;
    expect([diagnostics, result]).toMatchObject([[], [{ stage: 'load' }]]);
    expect(await davit('explain', 'trafic-sum')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('expected "traffic-sum"') as string,
    });
  });
});

describe('davit validate', () => {
  it.each([
    ['--model=', 'Cannot use "" for --model: expected something in it'],
    ['--model', "Cannot understand the options: Option '--model <value>' argument missing"],
  ])('refuses %s with one sentence', async (option, sentence) => {
    expect(await davit('validate', option)).toEqual({
      status: 2,
      stdout: '',
      stderr: `${sentence}\nTry: npx davit validate --help\n`,
    });
  });

  it('needs no project for a model alone', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'davit-alone-'));
    const model = join(cwd, 'models', 'empty');
    mkdirSync(model, { recursive: true });
    const { status, stderr } = await runDavit(cwd, 'validate', '--quiet', '--model', 'models/empty');
    rmSync(cwd, { recursive: true });
    expect(status).toBe(1);
    expect(stderr).toContain('models/empty/MLmodel:1:1 error model-unreadable');
  });
});

describe('davit serve', () => {
  it('says before it does anything that the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen({ port: 0, host: '127.0.0.1' }, done));
    const { port } = other.address() as AddressInfo;
    const { status, stdout, stderr } = await davit('serve', '--model', 'nowhere', '--port', String(port));
    other.close();
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr.split('\n')[0]).toBe(
      `Cannot serve on port ${port}: another program listens there, expected a free one. Choose another, or --port 0 for any`,
    );
  });
});

describe('davit import', () => {
  it('makes an endpoint file in a folder without a project, and prints it with --dry-run', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'davit-import-'));
    const run = (...args: readonly string[]) => runDavit(folder, 'import', ...args);
    try {
      const entity = '{ entity_name: "${var.catalog}.iris", entity_version: 1 }';
      const bundle = `variables: { catalog: {} }\nresources: { model_serving_endpoints: { iris: { name: iris, config: { served_entities: [${entity}] } } } }\n`;
      writeFileSync(join(folder, 'databricks.yml'), bundle);
      const unknown = await run('databricks.yml', '--dry-run', '--json');
      expect(unknown.status).toBe(1);
      expect(JSON.parse(unknown.stdout)).toMatchObject({
        diagnostics: [{ code: 'unresolved-variable', file: 'databricks.yml', line: 2 }],
        result: { endpoints: [{ file: 'endpoints/iris.yaml', status: 'would-write', complete: false }] },
      });
      const text = 'name: iris\nconfig:\n  served_entities:\n    - entity_name: main.iris\n      entity_version: "1"\n';
      expect(await run('databricks.yml', '--var', 'catalog=main', '--dry-run')).toMatchObject({
        status: 0,
        stdout: `# endpoints/iris.yaml\n${text}\nendpoints/iris.yaml: would be written\n`,
      });
      expect(await run('databricks.yml', '--var', 'catalog=main', '--to', 'new')).toMatchObject({
        status: 0,
        stderr: '',
      });
      expect(readFileSync(join(folder, 'new', 'iris.yaml'), 'utf8')).toBe(text);
      expect(await run('databricks.yml', '--var', 'catalog')).toMatchObject({ status: 2 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
