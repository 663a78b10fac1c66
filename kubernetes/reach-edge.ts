import * as https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { get as plainGet } from '../system/node-http.ts';

/** A first packet that is not forwarded yet is lost and sent again only after seconds. A new connection is faster. */
const ATTEMPT_MILLISECONDS = 2000;
const PAUSE_MILLISECONDS = 200;
/** The edge itself answers this path, for any caller. */
const PATH = '/.well-known/databricks-config';

/**
 * Waits until the edge answers a new connection with any status. Returns the reason if it does not within
 * `limitSeconds`.
 *
 * A node forwards a Service's address only some time after the Service exists. A connection that begins earlier is
 * never made, however long the client waits, because the node's connection tracking keeps it without a destination.
 */
export async function reachEdge(edge: string, limitSeconds: number): Promise<string | undefined> {
  const url = new URL(`${edge.replace(/(?<!\/)\/+$/, '')}${PATH}`);
  const end = performance.now() + limitSeconds * 1000;
  for (;;) {
    const left = Math.ceil(end - performance.now());
    const why = await probeOnce(url, Math.max(1, Math.min(ATTEMPT_MILLISECONDS, left)));
    if (why === undefined || performance.now() + PAUSE_MILLISECONDS > end) return why;
    await sleep(PAUSE_MILLISECONDS);
  }
}

/** Sends one request on a connection of its own. */
function probeOnce(url: URL, milliseconds: number): Promise<string | undefined> {
  const get = url.protocol === 'https:' ? https.get : plainGet;
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
