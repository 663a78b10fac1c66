import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { timed } from '../../system/progress.ts';
import type { BuildOptions } from '../go-build.ts';
import { ensureFolder, folderOf, keyOf } from './cached-folder.ts';
import { findProgram, readDebianLists } from './debian.ts';
import type { Component } from './node-process.ts';
import { CONTAINERD_SOCKET, CONTROL_GROUP, DOCKER_SOCKET, LOGS_FOLDER, NODE_FOLDER } from './places.ts';
import { runChecked } from './run-checked.ts';

const PACKAGE = 'docker.io';
const LIMIT_SECONDS = 30;
const POLL_MILLISECONDS = 100;
const CONFIG_FILE = join(NODE_FOLDER, 'docker.json');
const WHAT = `get Debian's package ${PACKAGE}`;

/** Docker's engine: the machine's own program, else Debian's. */
export async function ensureDockerEngine(options: BuildOptions): Promise<string> {
  return (await findProgram('dockerd')) ?? join(await ensureUnpacked(options), 'dockerd');
}

/** Where Debian's client is, which builds with BuildKit and needs no plugin for it; there when the engine is. */
export async function unpackedDockerClient(): Promise<string> {
  return join(folderOf(await unpackedPart()), 'docker');
}

/** The engine as a part of the node: it builds and pushes, and gives no container a network. */
export async function makeDockerEngine(program: string): Promise<Component> {
  await writeFileAtomically(CONFIG_FILE, '{}'); // else it would read what the machine's own engine is told
  const flags = [
    `--config-file=${CONFIG_FILE}`,
    `--host=unix://${DOCKER_SOCKET}`,
    `--data-root=${join(NODE_FOLDER, 'docker')}`,
    `--exec-root=${join(NODE_FOLDER, 'docker-run')}`,
    '--pidfile=', // what a killed one leaves would stop the next
    `--containerd=${CONTAINERD_SOCKET}`,
    `--cgroup-parent=/${CONTROL_GROUP}/docker`,
    '--exec-opt=native.cgroupdriver=cgroupfs',
    '--oom-score-adjust=0', // less is forbidden where the node may run
    ...['--iptables=false', '--ip6tables=false', '--bridge=none', '--ip-forward=false', '--ip-masq=false'],
    '--log-level=error', // a warning for each build, of nothing
  ];
  return { name: 'docker', command: [program, ...flags], after: `unix:${CONTAINERD_SOCKET}` };
}

/** Waits until the engine answers. */
export async function waitForDockerEngine(signal: AbortSignal | undefined): Promise<void> {
  const until = performance.now() + LIMIT_SECONDS * 1000;
  while (!(await answers())) {
    signal?.throwIfAborted();
    if (performance.now() > until)
      throw new Error(`Cannot reach Docker's engine within ${LIMIT_SECONDS} s: see its log in ${LOGS_FOLDER}`);
    await sleep(POLL_MILLISECONDS);
  }
}

function answers(): Promise<boolean> {
  return new Promise((done) => {
    const asking = request({ socketPath: DOCKER_SOCKET, path: '/_ping', timeout: 1000 }, (answer) => {
      answer.resume();
      done(answer.statusCode === 200);
    });
    asking.on('timeout', () => asking.destroy(new Error('no answer')));
    asking.on('error', () => done(false)).end();
  });
}

/** Unpacked, not installed: the package's own scripts would start an engine on the machine. */
async function ensureUnpacked(options: BuildOptions): Promise<string> {
  const what = `Getting Docker's engine out of Debian's package ${PACKAGE}`;
  const fill = (folder: string) => timed(options.progress, what, () => unpack(folder, options));
  return ensureFolder({ ...(await unpackedPart()), fill }, options);
}

/** Another release of the system has other libraries. */
async function unpackedPart() {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return { name: 'docker', key: keyOf(PACKAGE, release) };
}

async function unpack(folder: string, { signal }: BuildOptions): Promise<void> {
  const work = join(folder, 'package');
  await mkdir(work, { recursive: true });
  const run = { cwd: work, ...(signal && { signal }) };
  // As the user who runs this, not as apt's own, who may not write here.
  const download = ['apt-get', 'download', '-qq', '-o', 'APT::Sandbox::User=root', PACKAGE];
  await runChecked(WHAT, download, run).catch(async () => {
    await readDebianLists(run); // none were read yet, or the package has a newer version by now
    await runChecked(WHAT, download, run);
  });
  const [file = ''] = await readdir(work);
  await runChecked(WHAT, ['dpkg-deb', '--extract', file, '.'], run);
  await rename(join(work, 'usr/bin/docker'), join(folder, 'docker'));
  await rename(join(work, 'usr/sbin/dockerd'), join(folder, 'dockerd'));
  await rm(work, { recursive: true });
}
