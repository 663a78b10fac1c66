import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  DeletionResult,
  EndpointStatus,
  PatchRevisionRequest,
  PutRevisionRequest,
  PutRouteRequest,
  RevisionStatus,
  Status,
} from '../control/control-protocol.ts';
import { ControlRefused } from '../control/control-errors.ts';
import type { ControlOperations, ReadLogOptions, Task } from '../control/control-server.ts';
import { describeEndpoints, describeRevisions } from './describe-fleet.ts';
import { DurableState } from './durable-state.ts';
import { Fleet } from './fleet.ts';
import { Gateway } from '../gateway/gateway.ts';
import type { GatewayBackend, ManagementResponse, ManagementRequest } from '../gateway/gateway-server.ts';
import type { PrepareServer } from '../revisions/launched-replica.ts';
import { Management } from '../gateway/management.ts';
import { type SupervisorId, stateFolder } from './supervisor-id.ts';
import { RevisionLogs } from '../revisions/revision-logs.ts';
import { Routes } from '../gateway/routes.ts';
import { Tokens } from '../gateway/tokens.ts';

export interface SupervisionOptions {
  readonly place: SupervisorId;
  /** Makes and returns the folder for sockets. Called for each socket, because the folder can have been removed. */
  readonly socketFolder: () => string;
  readonly prepare: PrepareServer;
  readonly loadSeconds: number;
  /**
   * Ends an empty supervisor after this time, because the starting command can be stopped before it sends a revision.
   */
  readonly emptySeconds: number;
  /** Called when nothing is left to supervise, or after a request to stop. */
  readonly onEnd: (why: 'empty' | 'stopped') => void;
  /** Process id of the keeper. */
  readonly keeper: () => number | undefined;
}

/** Interval of checks and scaling. */
export const TICK_MILLISECONDS = 1000;

/** One local environment: its revisions, routes, gateway, tokens and management API. */
export class Supervision implements ControlOperations, GatewayBackend {
  readonly #options: SupervisionOptions;
  readonly #state: DurableState;
  readonly #logs: RevisionLogs;
  readonly #fleet: Fleet;
  readonly #routes: Routes;
  readonly #gateway: Gateway;
  readonly #tokens: Tokens;
  readonly #management: Management;
  readonly #ticking: NodeJS.Timeout;
  #emptySince = performance.now();

  private constructor(options: SupervisionOptions, state: DurableState) {
    const { place, socketFolder, prepare, loadSeconds } = options;
    this.#options = options;
    this.#state = state;
    this.#logs = new RevisionLogs(stateFolder(place, 'logs'));
    const folder = stateFolder(place, 'revisions');
    this.#fleet = new Fleet({ state, logs: this.#logs, folder, socketFolder, prepare, loadSeconds });
    this.#routes = new Routes(state, this.#fleet.known);
    this.#tokens = new Tokens(state);
    this.#management = new Management(state, { fleet: this.#fleet, routes: this.#routes, logs: this.#logs });
    this.#gateway = new Gateway(this, place.environment);
    this.#ticking = setInterval(() => this.#tick(), TICK_MILLISECONDS);
  }

  /** Restores the state of an earlier supervisor, or starts empty. */
  static async open(options: SupervisionOptions): Promise<Supervision> {
    const folder = stateFolder(options.place);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    const state = await DurableState.open(folder);
    const known = Object.keys(state.now.revisions);
    await Promise.all(['revisions', 'logs'].map((name) => removeIncompleteFolders(join(folder, name), known)));
    const opened = new Supervision(options, state);
    await opened.#fleet.restore();
    const { port, endpoints } = state.now;
    if (port !== undefined && Object.keys(endpoints).length > 0) await opened.#gateway.resume(port);
    return opened;
  }

  /** Stops the gateway and all revisions. The durable state stays. */
  async close(): Promise<void> {
    clearInterval(this.#ticking);
    await Promise.all([this.#gateway.close(), this.#fleet.close()]);
  }

  status(): Status {
    const { place, keeper } = this.#options;
    return {
      environment: place.environment,
      root: place.root,
      running: true,
      pid: process.pid,
      keeper: keeper(),
      gateway: this.#gateway.status,
      tokens: this.#state.now.tokens.length,
      endpoints: describeEndpoints(this.#state.now),
      revisions: describeRevisions(this.#fleet.known),
    };
  }

  async putRevision(put: PutRevisionRequest, task: Task): Promise<RevisionStatus> {
    try {
      await this.#fleet.put(put, task, task.signal);
    } catch (e) {
      if (task.signal.aborted) this.#endIfEmpty(); // the supervisor was started for an update that was cancelled
      throw e;
    }
    return this.#revision(put.revision.name);
  }

  async patchRevision(name: string, patch: PatchRevisionRequest): Promise<RevisionStatus> {
    await this.#fleet.patch(name, patch);
    return this.#revision(name);
  }

  async deleteRevision(name: string, task: Task): Promise<DeletionResult> {
    await this.#fleet.delete(name, task);
    return this.#endIfEmpty();
  }

  async putRoute(route: PutRouteRequest): Promise<EndpointStatus> {
    this.#routes.check(route);
    const port = await this.#gateway.listen(route.gateway.port ?? this.#state.now.port ?? 0);
    await this.#state.change((s) => (s.port === port ? s : { ...s, port }));
    await this.#routes.put(route);
    const status = this.status().endpoints.find((e) => e.name === route.endpoint);
    if (!status) throw new Error(`Cannot find the route of "${route.endpoint}" that was just made`);
    return status;
  }

  async deleteRoute(endpoint: string): Promise<DeletionResult> {
    await this.#routes.delete(endpoint);
    return this.#endIfEmpty();
  }

  readLog(revision: string, { which, lines }: ReadLogOptions): Promise<readonly string[]> {
    return this.#logs.read(revision, which, lines);
  }

  makeToken(): Promise<string> {
    return this.#tokens.make();
  }

  makeShortToken(seconds: number): string {
    return this.#tokens.makeShort(seconds);
  }

  revokeTokens(): Promise<void> {
    return this.#tokens.revoke();
  }

  stop(): void {
    this.#options.onEnd('stopped');
  }

  hashes(): readonly Buffer[] {
    return this.#tokens.hashes();
  }

  find(endpoint: string) {
    return this.#routes.find(endpoint);
  }

  rateLimits(endpoint: string) {
    return this.#routes.rateLimits(endpoint);
  }

  count(endpoint: string, entity: string, status: number, milliseconds: number): void {
    this.#management.traffic(endpoint, entity).count(status, milliseconds, performance.now());
  }

  answerManagement(request: ManagementRequest): Promise<ManagementResponse | undefined> {
    return this.#management.answer(request, this.#gateway.status.url ?? '');
  }

  #revision(name: string): RevisionStatus {
    const found = describeRevisions(this.#fleet.known).find((r) => r.name === name);
    if (!found)
      throw new ControlRefused({ code: 'unknown', message: `Cannot find revision "${name}": it was deleted` });
    return found;
  }

  #tick(): void {
    this.#fleet.tick();
    if (!this.#isEmpty()) this.#emptySince = performance.now();
    else if (performance.now() - this.#emptySince > this.#options.emptySeconds * 1000) this.#endIfEmpty();
  }

  #isEmpty(): boolean {
    return this.#fleet.known.size === 0 && Object.keys(this.#state.now.endpoints).length === 0;
  }

  #endIfEmpty(): DeletionResult {
    const ending = this.#isEmpty();
    if (ending) this.#options.onEnd('empty');
    return { ending };
  }
}

/** Removes incomplete revisions of a killed supervisor. */
async function removeIncompleteFolders(folder: string, known: readonly string[]): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const left = names.filter((name) => !known.includes(name));
  await Promise.all(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}
