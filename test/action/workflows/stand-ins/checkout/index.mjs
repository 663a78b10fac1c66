import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmdirSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';

const { ORIGIN, KEPT_WORKSPACE, ACT_WORKSPACE, GITHUB_EVENT_PATH, GITHUB_JOB, GITHUB_REF } = process.env;
const WHERE_THINGS_SERVE = ['preview', 'deploy', 'drift', 'destroy'];

// act makes a workspace for each job. What serves on this machine needs one that stays, and plans have its path in them.
const kept = WHERE_THINGS_SERVE.includes(GITHUB_JOB);
if (kept && !lstatSync(ACT_WORKSPACE).isSymbolicLink()) {
  process.chdir('/');
  rmdirSync(ACT_WORKSPACE);
  mkdirSync(KEPT_WORKSPACE, { recursive: true });
  symlinkSync(KEPT_WORKSPACE, ACT_WORKSPACE);
}

const cwd = resolve(kept ? KEPT_WORKSPACE : ACT_WORKSPACE, process.env.INPUT_PATH);
mkdirSync(cwd, { recursive: true });
const git = (...args) => execFileSync('git', args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
const event = JSON.parse(readFileSync(GITHUB_EVENT_PATH, 'utf8'));
const wanted = process.env.INPUT_REF || event.after || GITHUB_REF;
const depth = process.env['INPUT_FETCH-DEPTH'];
if (!existsSync(resolve(cwd, '.git'))) git('init', '--quiet');
const shallow = existsSync(resolve(cwd, '.git', 'shallow'));
if (depth === '0')
  git('fetch', '--quiet', ...(shallow ? ['--unshallow'] : []), ORIGIN, '+refs/heads/*:refs/remotes/origin/*');
git('fetch', '--quiet', ...(depth === '0' ? [] : [`--depth=${depth}`]), ORIGIN, wanted);
const sparse = (process.env['INPUT_SPARSE-CHECKOUT'] ?? '').split('\n').filter(Boolean);
if (sparse.length > 0) git('sparse-checkout', 'set', ...sparse);
git('checkout', '--quiet', '--force', '--detach', 'FETCH_HEAD');
// What serves on this machine is what a cluster would be, so it outlives the job.
git('clean', '-ffdxq', '-e', '/.davit/environments', '-e', '/.davit/passphrase');
