// Pull requests that would like more than a review: nothing of them leaks, is taken for ours, or runs where it may not.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codePath } from '../../system/code.ts';
import {
  declareEndpoint,
  fixtureModel,
  makeUserRepository,
  type TestPullRequest,
} from './workflows/make-user-repository.ts';
import { type ActResult, TOKEN } from './workflows/run-act.ts';
import { PASSPHRASE, type UserRepository } from './workflows/user-repository.ts';

let user: UserRepository;
beforeAll(async () => {
  user = await makeUserRepository({
    'models/iris/1': fixtureModel('p_flowers_1'),
    'endpoints/iris.yaml': { from: codePath('endpoints', 'iris.yaml') },
    'models/iris/2': fixtureModel('p_flowers_2'),
    'endpoints/iris.lock': { from: codePath('endpoints', 'iris.lock') },
  });
});
afterAll(() => user.remove());
afterEach(() => {
  expect(user.github.breaches.splice(0), 'what GitHub would not answer').toEqual([]);
});

const bodyOf = (pull: TestPullRequest) =>
  user.github.world.comments.filter((c) => c.on === pull.number).at(-1)?.body ?? '';
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
  /^(?:folder|digest|errors|endpoints|preview|conclusion|comment-url|cache-hit|(?:validate|program)-(?:paths|key|restore-keys))$/;

/** What no hostile pull request may do, whatever it is. */
function expectNothing(run: ActResult, pull: TestPullRequest): void {
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

/** Texts that mean something to a runner, a shell or GitHub, each with what is seen of it in the report. */
const UGLY: readonly (readonly [string, RegExp])[] = [
  [
    '**bold** <img src=x onerror=alert(1)> @octocat #1 https://example.org </details><!-- davit:report v1 -->',
    /onerror/,
  ],
  ['::set-output name=conclusion::success', /set-output/],
  ['\n::add-mask::iris\n::error::forged\n##[error]forged\n::stop-commands::x', /forged/],
  ['\u001b[2J\u001b[31mred\u001b]8;;https://example.org\u0007link', /redlink/],
  ['${{ secrets.GITHUB_TOKEN }} ${{ github.token }}', /secrets\.GITHUB_TOKEN/],
  ['```\n# heading\n| a | b |\n[x](javascript:alert(1))', /heading/],
  ['$(touch RAN) `touch RAN`; touch RAN', /touch/],
];

describe('a hostile pull request', () => {
  it('with hostile texts, programs, sizes, names, links and a model that prints is reported, and runs none of them', async () => {
    const ran = join(user.folder, 'ran');
    const evil = `require('fs').appendFileSync(${JSON.stringify(ran)}, process.env.PULUMI_CONFIG_PASSPHRASE ?? '')\n`;
    const ugly = UGLY.flatMap(([text], i) => {
      const quoted = JSON.stringify(text.replaceAll('RAN', ran));
      const named = declareEndpoint(`owl-${i}`, 'iris', '1').replace('entity_name: iris', `entity_name: ${quoted}`);
      return [
        [
          `endpoints/cat-${i}.yaml`,
          `${declareEndpoint(`cat-${i}`, 'iris', '1')}description: ${quoted}\n${quoted}: 1\n`,
        ],
        [`endpoints/owl-${i}.yaml`, named],
      ];
    });
    const megabyte = 'wolf '.repeat(200_000);
    const pull = user.openPullRequest(6, {
      ...(Object.fromEntries(ugly) as Record<string, string>),
      'endpoints/fox.yaml': declareEndpoint('fox', 'iris', '1'),
      'Pulumi.yaml': 'name: davit\nruntime: { name: nodejs, options: { typescript: false } }\nmain: infra/\n',
      'infra/index.ts': evil.replace("require('fs')", "(await import('node:fs'))"),
      'infra/index.js': evil,
      'local/PulumiPlugin.yaml': 'runtime: nodejs\n',
      'environments/staging.yaml': 'name: staging\ntarget: local\ngateway: { port: 1 }\n',
      '.github/actions/davit-credentials/action.yml': `name: c\ndescription: c\nruns:\n  using: composite\n  steps: [{ shell: bash, run: "touch ${ran}" }]\n`,
      'package.json': `{ "scripts": { "preinstall": "touch ${ran}" } }`,
      '.npmrc': 'script-shell=/bin/false\n',
      // The size of a megabyte, and names that are options.
      'endpoints/bear.yaml': `${declareEndpoint('bear', 'iris', '1')}description: ${JSON.stringify(megabyte)}\n`,
      'endpoints/wolf.yaml': `${JSON.stringify(megabyte)}: 1\n`,
      'endpoints/--help.yaml': declareEndpoint('help', 'iris', '1'),
      'endpoints/-rf.yaml': declareEndpoint('-rf', '--version', '-1'),
      'models/--config/1/MLmodel': 'flavors: {}\n',
      // A model that prints, and files such as validate leaves for the jobs after it.
      'models/shout/1': fixtureModel('m_obedient'),
      'endpoints/shout.yaml': declareEndpoint('shout', 'shout', '1'),
      'davit-validate/report.json': '{"report_version": 2}',
    });
    user.change(pull, (folder) => {
      linkOutOfTheRepository(folder);
      makeModelPrint(join(folder, 'models/shout/1/code/m_obedient.py'));
    });
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual({ validate: 'failure', preview: 'success', report: 'success' });
    expectNothing(run, pull);
    expect(bodyOf(pull), 'by the release and the base branch').toMatch(/create Revision fox-[0-9a-f]{10}/);
    expect(bodyOf(pull).length).toBeLessThan(65_536);
    const outside = withoutCode(bodyOf(pull));
    expect(outside).not.toMatch(/<img|<a |javascript:|@octocat|\*\*bold|\u001b|\$\{\{/);
    expect(outside.match(/<!-- davit:report v1 -->/g)).toHaveLength(1);
    for (const [i, [, seen]] of UGLY.entries()) {
      expect(bodyOf(pull), `text ${i}`).toMatch(seen);
      for (const name of [`cat-${i}`, `owl-${i}`]) expect(bodyOf(pull)).toContain(`endpoints/${name}.yaml`);
    }
    expect(checkOf(pull.head)?.conclusion ?? checkOf(user.head(pull.branch))?.conclusion).toBe('failure');
    expect(bodyOf(pull)).toContain('outside the project');
    expect(bodyOf(pull)).toContain('--help');
    // The model that prints is proved, and nothing that it printed is believed.
    expect(bodyOf(pull)).toMatch(/create Revision shout-[0-9a-f]{10}/);
    const accused = run.commands.flatMap((c) => (c.command === 'error' ? [c.kvPairs?.['file']] : []));
    expect(accused).not.toContain('endpoints/shout.yaml');
    expect(run.log).not.toMatch(/GITHUB_(?:TOKEN|ENV|OUTPUT)'/);
    const locks = Object.keys(user.github.world.commits.at(-1)?.files ?? {});
    expect(locks).toContain('endpoints/shout.lock');
    expect(locks.filter((file) => !/^endpoints\/[a-z]+\.lock$/.test(file))).toEqual([]);
  });
});

/** Markdown less its code, where GitHub makes nothing of what it reads. */
function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '');
}

/** Links to files of the machine: an endpoint, a lock and a model. */
function linkOutOfTheRepository(folder: string): void {
  symlinkSync('/etc/passwd', join(folder, 'endpoints', 'passwd.yaml'));
  writeFileSync(join(folder, 'endpoints', 'lynx.yaml'), declareEndpoint('lynx', 'iris', '1'));
  symlinkSync('/etc/passwd', join(folder, 'endpoints', 'lynx.lock'));
  mkdirSync(join(folder, 'models', 'root'));
  symlinkSync('/etc', join(folder, 'models', 'root', '1'));
  writeFileSync(join(folder, 'endpoints', 'root.yaml'), declareEndpoint('root', 'root', '1'));
}

/** The model prints the hostile texts and its environment where it is loaded, and a workflow command where it predicts. */
function makeModelPrint(file: string): void {
  const shout = UGLY.map(([text]) => `print(${JSON.stringify(text)}, flush=True)`).join('\n');
  const look =
    'import os\nprint({k: v for k, v in os.environ.items() if k.startswith(("GITHUB", "ACTIONS", "INPUT", "PULUMI"))})\n';
  const printing = 'def predict(self, frame):\n        print("::error::forged")';
  const source = readFileSync(file, 'utf8').replace('def predict(self, frame):', printing);
  writeFileSync(file, `${look}${shout}\n${source}`);
}
