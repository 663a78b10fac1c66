import { request } from '../../system/node-http.ts';
import { type Progress, SILENT } from '../../system/progress.ts';
import type {
  DeletionResult,
  EndpointStatus,
  ResponseLine,
  PatchRevisionRequest,
  PutRevisionRequest,
  PutRouteRequest,
  RevisionStatus,
  Status,
} from './control-protocol.ts';
import { ControlRefused, SupervisorGone } from './control-errors.ts';
import { forEachLine } from '../../system/for-each-line.ts';

export interface CallOptions {
  readonly progress?: Progress;
  /** Aborting closes the connection, which cancels the operation. */
  readonly signal?: AbortSignal;
}

/** Client of a running supervisor. Every call throws ControlRefused, or SupervisorGone if the supervisor has ended. */
export class ControlClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  status(options?: CallOptions): Promise<Status> {
    return this.#call('GET', '/status', undefined, options);
  }

  putRevision(put: PutRevisionRequest, options?: CallOptions): Promise<RevisionStatus> {
    return this.#call('PUT', path('revisions', put.revision.name), put, options);
  }

  patchRevision(name: string, patch: PatchRevisionRequest, options?: CallOptions): Promise<RevisionStatus> {
    return this.#call('PATCH', path('revisions', name), patch, options);
  }

  deleteRevision(name: string, options?: CallOptions): Promise<DeletionResult> {
    return this.#call('DELETE', path('revisions', name), undefined, options);
  }

  putRoute(route: PutRouteRequest, options?: CallOptions): Promise<EndpointStatus> {
    return this.#call('PUT', path('endpoints', route.endpoint), route, options);
  }

  deleteRoute(endpoint: string, options?: CallOptions): Promise<DeletionResult> {
    return this.#call('DELETE', path('endpoints', endpoint), undefined, options);
  }

  /** Reads the last lines of a revision's server log or build log. */
  readLog(revision: string, which: 'log' | 'build-log' = 'log', lines = 200): Promise<readonly string[]> {
    return this.#call('GET', `${path('logs', revision)}?which=${which}&lines=${lines}`);
  }

  /** Makes a bearer token, which cannot be read again. */
  makeToken(): Promise<string> {
    return this.#call('POST', '/tokens');
  }

  /** Makes a token for Davit's own queries, which expires after some seconds. */
  makeShortToken(seconds: number): Promise<string> {
    return this.#call('POST', `/short-tokens?seconds=${seconds}`);
  }

  /** Revokes every token. */
  async revokeTokens(): Promise<void> {
    await this.#call('DELETE', '/tokens');
  }

  /** Stops the supervisor and its processes. The next supervisor restores the same state. */
  async stop(): Promise<void> {
    await this.#call('POST', '/stop');
  }

  #call<T>(method: string, target: string, body?: unknown, options: CallOptions = {}): Promise<T> {
    const { progress = SILENT, signal } = options;
    return new Promise((done, fail) => {
      const gone = (cause?: Error) =>
        fail(signal?.aborted ? (signal.reason as Error) : new SupervisorGone(ENDED_MESSAGE, { cause }));
      // A kept connection would still reach a supervisor whose socket was removed, which the next new one does not.
      const sent = request({
        socketPath: this.#socketPath,
        agent: false,
        method,
        path: target,
        ...(signal && { signal }),
      });
      sent.on('error', gone);
      sent.on('response', (response) => {
        forEachLine(
          response,
          (text) => {
            const line = JSON.parse(text) as ResponseLine<T>;
            if ('progress' in line) progress.say(line.progress);
            else if ('result' in line) done(line.result);
            else fail(new ControlRefused(line.error));
          },
          { maxCharacters: Infinity },
        );
        response.on('error', gone);
        response.on('close', () => gone());
      });
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

const ENDED_MESSAGE = 'Cannot reach the supervisor: it ended before it responded';

function path(noun: string, name: string): string {
  return `/${noun}/${encodeURIComponent(name)}`;
}
