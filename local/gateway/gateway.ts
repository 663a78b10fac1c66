import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GatewayStatus } from '../control/control-protocol.ts';
import { ControlRefused } from '../control/control-errors.ts';
import { type GatewayBackend, makeGatewayServer } from './gateway-server.ts';
import { describePortHolder } from './port-holder.ts';
import { KeyedMutex } from '../../system/locks/keyed-mutex.ts';

const HOST = '127.0.0.1';
const RETRY_MILLISECONDS = 2000;
const CLOSE_MILLISECONDS = 5000;

/** The gateway. It opens its port with the first route, keeps it, and opens it again after a restart. */
export class Gateway {
  readonly #backend: GatewayBackend;
  readonly #environment: string;
  readonly #turns = new KeyedMutex();
  #server: Server | undefined;
  #port: number | undefined;
  #problem: string | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(backend: GatewayBackend, environment: string) {
    this.#backend = backend;
    this.#environment = environment;
  }

  get status(): GatewayStatus {
    const port = this.#port;
    return { url: port === undefined ? undefined : `http://${HOST}:${port}`, port, problem: this.#problem };
  }

  /**
   * Listens on a port (0: a free one) and closes the previous one. Throws ControlRefused if the port is in use. Calls
   * are serialised, because two concurrent first endpoints would each open a port, and one of the ports would be lost.
   */
  listen(port: number): Promise<number> {
    return this.#turns.take('listen', () => this.#listen(port));
  }

  async #listen(port: number): Promise<number> {
    if (this.#server && (port === 0 || port === this.#port)) return this.#port ?? 0;
    const server = makeGatewayServer(this.#backend);
    await this.#bind(server, port);
    const before = this.#server;
    clearTimeout(this.#retry);
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    this.#problem = undefined;
    if (before) void close(before);
    return this.#port;
  }

  /** Listens on the port from before the restart. Retries until the port is free, because clients know the address. */
  async resume(port: number): Promise<void> {
    try {
      await this.listen(port);
    } catch (e) {
      this.#port = port;
      this.#problem = (e as Error).message;
      this.#retry = setTimeout(() => void this.resume(port), RETRY_MILLISECONDS);
    }
  }

  /** Accepts no new connections, and waits for the requests in flight. */
  async close(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#server) await close(this.#server);
    this.#server = undefined;
  }

  async #bind(server: Server, port: number): Promise<void> {
    try {
      server.listen({ host: HOST, port, exclusive: true });
      await once(server, 'listening');
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw e;
      const holder =
        code === 'EACCES'
          ? 'this user may not listen on it'
          : `${(await describePortHolder(port)) ?? 'another process'} is listening on it`;
      throw new ControlRefused({
        code: 'port-taken',
        message: `Cannot open port ${port} on ${HOST}: ${holder}. Stop it, or set another port: gateway.port in environments/${this.#environment}.yaml`,
      });
    }
  }
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MILLISECONDS);
  await closed;
  clearTimeout(cut);
}
