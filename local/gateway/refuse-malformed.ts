import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { STATUS_CODES } from '../../system/node-http.ts';
import { malformedRequest, renderRefusal } from '../../serving-api/refusal.ts';

/**
 * Responds to an invalid HTTP request with the gateway's error body, and closes the connection. `begun` is the
 * connection's last response. If it is incomplete, nothing is written into it.
 */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex, begun: ServerResponse | undefined): void {
  const within = begun?.headersSent === true && !begun.writableFinished;
  if (!socket.writable || within) {
    socket.destroy();
    return;
  }
  const refusal = malformedRequest(error.code);
  const body = renderRefusal(refusal);
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
