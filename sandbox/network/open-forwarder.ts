import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { NetworkAddress } from '../../schemas/values/network-address.ts';
import { type Dial, dialService } from './dial-service.ts';
import type { NetworkUse } from '../../schemas/lock/proof.ts';

/** Connects sandboxed programs to a few services. */
export interface Forwarder {
  /** Ends all connections and says how each service was used. A second call changes nothing. */
  close(): Promise<readonly NetworkUse[]>;
}

const MAX_CONNECTIONS = 64;
/** What the relay in the sandbox waits for before it accepts data. */
const CONNECTED = Buffer.from([1]);
const WORLD_WRITABLE = 0o666;

/**
 * Listens on a Unix socket for each service: `0`, `1`, … in a folder that only this user can enter. Which service a
 * connection reaches depends on the socket alone, so no program in a sandbox has a way to name another one.
 */
export async function openForwarder(
  services: readonly NetworkAddress[],
  folder: string,
  dial: Dial = dialService,
): Promise<Forwarder> {
  const ports: ServicePort[] = [];
  const closeAll = () => Promise.all(ports.map((port) => port.close()));
  try {
    for (const [i, service] of services.entries()) {
      const port = new ServicePort(service, dial);
      await port.listen(join(folder, String(i)));
      ports.push(port);
      await chmod(join(folder, String(i)), WORLD_WRITABLE); // the program is another user
    }
  } catch (e) {
    await closeAll();
    throw e;
  }
  let closed: Promise<readonly NetworkUse[]> | undefined;
  return { close: () => (closed ??= closeAll()) };
}

/** The socket of one service, and what passed through it. */
class ServicePort {
  readonly #service: NetworkAddress;
  readonly #dial: Dial;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #connections = 0;
  #sentBytes = 0;
  #receivedBytes = 0;
  #failure: string | undefined;

  constructor(service: NetworkAddress, dial: Dial) {
    this.#service = service;
    this.#dial = dial;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#connect(client));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  async listen(path: string): Promise<void> {
    this.#server.listen(path);
    await once(this.#server, 'listening');
  }

  async close(): Promise<NetworkUse> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    const ended = [...this.#open].map((socket) => (socket.closed ? undefined : once(socket, 'close')));
    for (const socket of this.#open) socket.destroy();
    await Promise.all([closed, ...ended]);
    return {
      ...this.#service,
      connections: this.#connections,
      ...{ sentBytes: this.#sentBytes, receivedBytes: this.#receivedBytes, failure: this.#failure },
    };
  }

  #connect(client: Socket): void {
    const service = this.#dial(this.#service);
    this.#keep(client);
    this.#keep(service);
    let isConnected = false;
    service.once('connect', () => {
      isConnected = true;
      this.#connections += 1;
      client.write(CONNECTED);
      client.pipe(service).pipe(client);
    });
    service.on('error', (error) => {
      if (!isConnected) this.#failure = nameFailure(error);
      client.destroy();
    });
    client.on('error', () => service.destroy());
    service.once('close', () => {
      this.#sentBytes += service.bytesWritten;
      this.#receivedBytes += service.bytesRead;
    });
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }
}

/** Attempts at several addresses fail together, each with its code. */
function nameFailure(error: NodeJS.ErrnoException & { readonly errors?: readonly NodeJS.ErrnoException[] }): string {
  return error.code ?? error.errors?.find((e) => e.code !== undefined)?.code ?? 'ECONNRESET';
}
