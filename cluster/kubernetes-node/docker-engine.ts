import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../../system/node-http.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { withProgress } from '../../system/progress.ts';
import type { BuildOptions } from '../../system/go-build.ts';
import { ensureCachedFolder, locateCachedFolder, computeCacheKey } from '../cached-folder.ts';
import { findProgram, updateDebianLists } from './debian.ts';
import type { Component } from './node-process.ts';
import { CONTAINERD_SOCKET, CONTROL_GROUP, DOCKER_SOCKET, LOGS_FOLDER, NODE_FOLDER } from './node-layout.ts';
import { runChecked } from '../run-checked.ts';

const PACKAGE = 'docker.io';
const LIMIT_SECONDS = 30;
const POLL_MILLISECONDS = 100;
const CONFIG_FILE = join(NODE_FOLDER, 'docker.json');
const ACTION = `download and extract Debian's package ${PACKAGE}`;

/** The path of Docker's engine: this machine's own, else the one in Debian's package. */
export async function ensureDockerEngine(options: BuildOptions): Promise<string> {
  return (await findProgram('dockerd')) ?? join(await ensureUnpackedEngine(options), 'dockerd');
}

/** The path of the Docker client in the unpacked package. The client builds with BuildKit without a plugin. */
export async function locateUnpackedDockerClient(): Promise<string> {
  return join(locateCachedFolder(await describeUnpackedEngine()), 'docker');
}

/** The engine as a component of the node. It builds and pushes images, and gives containers no network. */
export async function makeDockerEngineComponent(program: string): Promise<Component> {
  await writeFileAtomically(CONFIG_FILE, '{}'); // otherwise the engine reads the configuration of the machine's own
  const flags = [
    `--config-file=${CONFIG_FILE}`,
    `--host=unix://${DOCKER_SOCKET}`,
    `--data-root=${join(NODE_FOLDER, 'docker')}`,
    `--exec-root=${join(NODE_FOLDER, 'docker-run')}`,
    '--pidfile=', // the file of a killed engine would prevent the next start
    `--containerd=${CONTAINERD_SOCKET}`,
    `--cgroup-parent=/${CONTROL_GROUP}/docker`,
    '--exec-opt=native.cgroupdriver=cgroupfs',
    '--oom-score-adjust=0', // a lower value may be forbidden on this machine
    ...['--iptables=false', '--ip6tables=false', '--bridge=none', '--ip-forward=false', '--ip-masq=false'],
    '--log-level=error', // the engine would log an empty warning for each build
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
    const ping = request({ socketPath: DOCKER_SOCKET, path: '/_ping', timeout: 1000 }, (answer) => {
      answer.resume();
      done(answer.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy(new Error('no answer')));
    ping.on('error', () => done(false)).end();
  });
}

/** Unpacks the package without installing it, because its scripts would start an engine on the machine. */
async function ensureUnpackedEngine(options: BuildOptions): Promise<string> {
  const what = `Extracting Docker's engine from Debian's package ${PACKAGE}`;
  const fill = (folder: string) => withProgress(options.progress, what, () => unpack(folder, options));
  return ensureCachedFolder({ ...(await describeUnpackedEngine()), fill }, options);
}

/** The key includes the system's release, because another release has other libraries. */
async function describeUnpackedEngine() {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return { name: 'docker', key: computeCacheKey(PACKAGE, release) };
}

async function unpack(folder: string, { signal }: BuildOptions): Promise<void> {
  const work = join(folder, 'package');
  await mkdir(work, { recursive: true });
  const run = { cwd: work, ...(signal && { signal }) };
  // Download as this user, because apt's own user may not write here.
  const download = ['apt-get', 'download', '-qq', '-o', 'APT::Sandbox::User=root', PACKAGE];
  await runChecked(ACTION, download, run).catch(async () => {
    await updateDebianLists(run); // apt has no package lists yet, or the package has a newer version
    await runChecked(ACTION, download, run);
  });
  const [file = ''] = await readdir(work);
  await runChecked(ACTION, ['dpkg-deb', '--extract', file, '.'], run);
  await rename(join(work, 'usr/bin/docker'), join(folder, 'docker'));
  await rename(join(work, 'usr/sbin/dockerd'), join(folder, 'dockerd'));
  await rm(work, { recursive: true });
}
