import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmdirSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';

const { ORIGIN, KEPT_WORKSPACE, ACT_WORKSPACE, GITHUB_REF, GITHUB_EVENT_PATH } = process.env;

// act makes a workspace for each job; on GitHub a repository has one path on all runners, and plans may hold it.
if (!lstatSync(ACT_WORKSPACE).isSymbolicLink()) {
  process.chdir('/');
  rmdirSync(ACT_WORKSPACE);
  mkdirSync(KEPT_WORKSPACE, { recursive: true });
  symlinkSync(KEPT_WORKSPACE, ACT_WORKSPACE);
}

const cwd = resolve(KEPT_WORKSPACE, process.env.INPUT_PATH);
mkdirSync(cwd, { recursive: true });
const git = (...args) => execFileSync('git', args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
const event = JSON.parse(readFileSync(GITHUB_EVENT_PATH, 'utf8'));
const depth = process.env['INPUT_FETCH-DEPTH'];
if (!existsSync(resolve(cwd, '.git'))) git('init', '--quiet');
git(
  'fetch',
  '--quiet',
  '--force',
  ...(depth === '0' ? [] : [`--depth=${depth}`]),
  ORIGIN,
  '+refs/*:refs/remotes/origin/*',
);
const sparse = (process.env['INPUT_SPARSE-CHECKOUT'] ?? '').split('\n').filter(Boolean);
if (sparse.length > 0) git('sparse-checkout', 'set', ...sparse);
const wanted = process.env.INPUT_REF || event.after || GITHUB_REF.replace(/^refs\//, '');
const commit = /^[0-9a-f]{40}$/.test(wanted)
  ? wanted
  : `refs/remotes/origin/${wanted.startsWith('pull/') ? '' : 'heads/'}${wanted.replace(/^heads\//, '')}`;
git('checkout', '--quiet', '--force', '--detach', commit);
// What serves on this machine is what a cluster would be, so it outlives the job.
git('clean', '-ffdxq', '-e', '/.davit/environments', '-e', '/.davit/passphrase');
