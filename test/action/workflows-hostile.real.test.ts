// Pull requests that would like more than a review: nothing of them leaks, is taken for ours, or runs where it may not.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codePath } from '../../system/code.ts';
import { declareEndpoint, exampleModel, fixtureModel, makeUserRepository, type Pull } from './workflows/given.ts';
import { type ActResult, TOKEN } from './workflows/run-act.ts';
import { PASSPHRASE, type UserRepository } from './workflows/user-repository.ts';

let user: UserRepository;
beforeAll(async () => {
  user = await makeUserRepository({
    'models/iris/1': exampleModel('1'),
    'endpoints/iris.yaml': { from: codePath('endpoints', 'iris.yaml') },
    'models/iris/2': exampleModel('2'),
    'endpoints/iris.lock': { from: codePath('endpoints', 'iris.lock') },
  });
});
afterAll(() => user.remove());
afterEach(() => {
  expect(user.github.breaches.splice(0), 'what GitHub would not answer').toEqual([]);
});

const bodyOf = (pull: Pull) => user.github.world.comments.filter((c) => c.on === pull.number).at(-1)?.body ?? '';
const checkOf = (sha: string) => user.github.world.checkRuns.findLast((c) => c.sha === sha && c.name === 'davit');

/** Commands that our action gives; the runner takes each for its word. */
const OURS = [
  'add-mask',
  'error',
  'warning',
  'notice',
  'group',
  'endgroup',
  'set-output',
  'stop-commands',
  'debug',
  'summary',
];
const OUTPUTS =
  /^(?:folder|digest|errors|endpoints|conclusion|comment-url|cache-hit|(?:validate|program)-(?:paths|key|restore-keys))$/;

/** What no hostile pull request may do, whatever it is. */
function expectNothing(run: ActResult, pull: Pull): void {
  const said = [run.log, bodyOf(pull), JSON.stringify(user.github.world.checkRuns)].join('\n');
  expect(said).not.toContain(PASSPHRASE);
  expect(said).not.toContain(TOKEN);
  expect(said).not.toMatch(/root:[^:]*:0:0/); // /etc/passwd
  expect(existsSync(join(user.folder, 'ran'))).toBe(false);
  for (const { command = '', name, arg } of run.commands) {
    expect(OURS.includes(command) || /^[0-9a-f]{48}$/.test(command), `command ${command}`).toBe(true);
    if (command === 'set-output') expect(name).toMatch(OUTPUTS);
    if (command === 'add-mask') expect(arg).toBe(TOKEN);
    if (command === 'error') expect(arg).not.toMatch(/^forged/);
  }
}

const UGLY = [
  '**bold** <img src=x onerror=alert(1)> @octocat #1 https://example.org </details><!-- davit:report v1 -->',
  '::set-output name=conclusion::success',
  '\n::add-mask::iris\n::error::forged\n##[error]forged\n::stop-commands::x',
  '\u001b[2J\u001b[31mred\u001b]8;;https://example.org\u0007link',
  '${{ secrets.GITHUB_TOKEN }} ${{ github.token }}',
  '```\n# heading\n| a | b |\n[x](javascript:alert(1))',
  `$(touch RAN) \`touch RAN\`; touch RAN`,
];

describe('a hostile pull request', () => {
  it.each(UGLY.map((text, i) => [i, text] as const))(
    'with ugly text %i in YAML is reported calmly',
    async (i, text) => {
      const ugly = text.replaceAll('RAN', join(user.folder, 'ran'));
      const pull = user.openPullRequest(10 + i, {
        'endpoints/fox.yaml': `${declareEndpoint('fox', 'iris', '1')}description: ${JSON.stringify(ugly)}\n${JSON.stringify(ugly)}: 1\n`,
        'endpoints/owl.yaml': declareEndpoint('owl', 'iris', '1').replace(
          'entity_name: iris',
          `entity_name: ${JSON.stringify(ugly)}`,
        ),
      });
      const run = await user.runPullRequest(pull);
      expect(run.results, run.log).toMatchObject({ validate: 'failure', report: 'success' });
      expectNothing(run, pull);
      const outside = withoutCode(bodyOf(pull));
      expect(outside).not.toMatch(/<img|<a |javascript:|@octocat|\*\*bold|\u001b|\$\{\{/);
      expect(outside.match(/<!-- davit:report v1 -->/g)).toHaveLength(1);
      expect(bodyOf(pull), 'it is told of').toMatch(/onerror|set-output|forged|red|secrets|heading|touch/);
      expect(checkOf(pull.head)?.conclusion).toBe('failure');
    },
  );

  it('with a text of a megabyte stays within GitHub’s limits', async () => {
    const megabyte = 'wolf '.repeat(200_000);
    const pull = user.openPullRequest(20, {
      'endpoints/fox.yaml': `${declareEndpoint('fox', 'iris', '1')}description: ${JSON.stringify(megabyte)}\n`,
      'endpoints/owl.yaml': `${JSON.stringify(megabyte)}: 1\n`,
    });
    const run = await user.runPullRequest(pull);
    expect(run.results['report'], run.log).toBe('success');
    expectNothing(run, pull);
    expect(bodyOf(pull).length).toBeLessThan(65_536);
  });

  it('with a model that prints workflow commands is not believed', async () => {
    const shout = UGLY.map((text) => `print(${JSON.stringify(text)}, flush=True)`).join('\n');
    const pull = user.openPullRequest(21, {
      'models/shout/1': fixtureModel('m_obedient'),
      'endpoints/shout.yaml': declareEndpoint('shout', 'shout', '1'),
    });
    user.change(pull, (folder) => {
      const file = join(folder, 'models/shout/1/code/m_obedient.py');
      const look =
        'import os\nprint({k: v for k, v in os.environ.items() if k.startswith(("GITHUB", "ACTIONS", "INPUT", "PULUMI"))})\n';
      writeFileSync(
        file,
        `${look}${shout}\n${readFileSync(file, 'utf8').replace('def predict(self, frame):', `def predict(self, frame):\n        print("::error::forged")`)}`,
      );
    });
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual({ validate: 'success', preview: 'success', report: 'success' });
    expectNothing(run, pull);
    expect(run.commands.filter((c) => c.command === 'error')).toEqual([]);
    expect(run.log).not.toMatch(/GITHUB_(?:TOKEN|ENV|OUTPUT)'/);
  });

  it('with links out of the repository shows and takes nothing of what they lead to', async () => {
    const pull = user.openPullRequest(22, {});
    user.change(pull, (folder) => {
      symlinkSync('/etc/passwd', join(folder, 'endpoints', 'passwd.yaml'));
      writeFileSync(join(folder, 'endpoints', 'owl.yaml'), declareEndpoint('owl', 'iris', '1'));
      symlinkSync('/etc/passwd', join(folder, 'endpoints', 'owl.lock'));
      mkdirSync(join(folder, 'models', 'root'));
      symlinkSync('/etc', join(folder, 'models', 'root', '1'));
      writeFileSync(join(folder, 'endpoints', 'root.yaml'), declareEndpoint('root', 'root', '1'));
    });
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toMatchObject({ validate: 'failure', report: 'success' });
    expectNothing(run, pull);
    expect(bodyOf(pull)).toContain('out of the project');
  });

  it('whose whole folder of endpoints is a link is not followed', async () => {
    const pull = user.openPullRequest(23, {});
    user.change(pull, (folder) => {
      rmSync(join(folder, 'endpoints'), { recursive: true });
      symlinkSync('/etc', join(folder, 'endpoints'));
    });
    const run = await user.runPullRequest(pull);
    expect(run.results['report'], run.log).toBe('success');
    expectNothing(run, pull);
    expect(checkOf(pull.head)?.conclusion).toBe('failure');
  });

  it('with paths that look like options is a pull request about files', async () => {
    const pull = user.openPullRequest(24, {
      'endpoints/--help.yaml': declareEndpoint('fox', 'iris', '1'),
      'endpoints/-rf.yaml': declareEndpoint('-rf', '--version', '-1'),
      'models/--config/1/MLmodel': 'flavors: {}\n',
    });
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toMatchObject({ validate: 'failure', report: 'success' });
    expectNothing(run, pull);
    expect(bodyOf(pull)).toContain('--help');
  });

  it('that plants what validate leaves is not believed by the report', async () => {
    const pull = user.openPullRequest(25, {
      'davit-validate/report.json': '{"report_version": 2}',
      '.davit/report.json': '{}',
      'endpoints/fox.yaml': declareEndpoint('fox', 'iris', '1'),
    });
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual({ validate: 'success', preview: 'success', report: 'success' });
    expectNothing(run, pull);
    expect(Object.keys(user.github.world.commits.at(-1)?.files ?? {})).toEqual(['endpoints/fox.lock']);
  });
});

/** Markdown less its code, where GitHub makes nothing of what it reads. */
function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '');
}
