import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { NetworkAddress } from '../../schemas/values/network-address.ts';
import { codePath } from '../../system/code.ts';

/** The services that a sandboxed program may reach, and what the relay in the sandbox needs. */
export interface SandboxNetwork {
  readonly services: readonly NetworkAddress[];
  /** The folder with the Unix sockets of a forwarder. */
  readonly folder: string;
  /** A Python of this machine that the program can read. It runs only Davit's own code, without packages. */
  readonly python: string;
}

/** What the relay adds to a sandbox. */
export interface Relay {
  /** Comes before the command, which it becomes. */
  readonly command: readonly string[];
  readonly capabilities: readonly string[];
  readonly readable: readonly { readonly from: string; readonly at: string }[];
  /** Files by their path. */
  readonly files: Readonly<Record<string, string>>;
}

const FOLDER = '/etc/davit';
const PROGRAM = codePath('sandbox', 'network', 'relay.py');

/**
 * Makes the relay. `drop` is the program that takes its capabilities away before it accepts a connection: those to listen
 * on ports below 1024 and to give addresses to the loopback interface.
 */
export async function makeRelay({ services, folder, python }: SandboxNetwork, drop: readonly string[]): Promise<Relay> {
  const hosts = [...new Set(services.map((s) => s.host))];
  const names = hosts.filter((host) => isIP(host) === 0 && host !== 'localhost');
  const addresses = new Map(names.map((name, i) => [name, `127.8.0.${i + 1}`]));
  const spec = {
    folder: `${FOLDER}/services`,
    drop,
    services: services.map(({ host, port }) => ({ port, addresses: listAddresses(host, addresses) })),
  };
  const program = `${FOLDER}/relay.py`;
  return {
    command: [python, '-I', '-S', '-B', program, 'start', JSON.stringify(spec)],
    capabilities: ['NET_BIND_SERVICE', 'NET_ADMIN'],
    readable: [{ from: folder, at: spec.folder }],
    files: {
      [program]: await readFile(PROGRAM, 'utf8'),
      '/etc/hosts': [...addresses].map(([name, address]) => `${address} ${name}\n`).join(''),
    },
  };
}

function listAddresses(host: string, names: ReadonlyMap<string, string>): readonly string[] {
  if (host === 'localhost') return ['127.0.0.1', '::1'];
  return [names.get(host) ?? host];
}
