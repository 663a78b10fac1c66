import * as http from 'node:http';
import * as https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

/** A first packet that nobody forwards yet is lost, and sent again only after seconds: a new connection is sooner. */
const PATIENCE_MILLISECONDS = 2000;
const PAUSE_MILLISECONDS = 200;
/** Answered by the edge itself, to everybody. */
const PATH = '/.well-known/databricks-config';

/**
 * Waits until the edge answers a new connection, whatever it says; why it does not, if it does not within `limitSeconds`.
 *
 * A node forwards a Service's address only some time after the Service is there. A connection that is begun before is never
 * made, for all the seconds that a client waits, because the node's connection tracking has it as one to nobody.
 */
export async function reachEdge(edge: string, limitSeconds: number): Promise<string | undefined> {
  const url = new URL(`${edge.replace(/\/+$/, '')}${PATH}`);
  const end = performance.now() + limitSeconds * 1000;
  for (;;) {
    const left = Math.ceil(end - performance.now());
    const why = await knock(url, Math.max(1, Math.min(PATIENCE_MILLISECONDS, left)));
    if (why === undefined || performance.now() + PAUSE_MILLISECONDS > end) return why;
    await sleep(PAUSE_MILLISECONDS);
  }
}

/** One request on a connection of its own. */
function knock(url: URL, milliseconds: number): Promise<string | undefined> {
  const { get } = url.protocol === 'https:' ? https : http;
  return new Promise((done) => {
    const signal = AbortSignal.timeout(milliseconds);
    get(url, { agent: false, signal }, (response) => {
      response.resume();
      done(undefined);
    }).on('error', (e: NodeJS.ErrnoException) =>
      done(signal.aborted ? `no answer in ${(milliseconds / 1000).toFixed(1)} s` : (e.code ?? e.message)),
    );
  });
}
