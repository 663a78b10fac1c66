/** An Envoy to drain: its admin port, and the name of its connection manager. */
export interface DrainOptions {
  readonly adminPort: number;
  /** `stat_prefix` of the listeners that clients use. */
  readonly statPrefix: string;
  /** How long new requests may still arrive, until all clients know that the pod ends. */
  readonly noticeSeconds: number;
  /** Requests that take longer than this are cut off. */
  readonly limitSeconds: number;
}

/** Seconds between the end of the wait and the end of the pod's grace period. */
const MARGIN_SECONDS = 15;

/**
 * Makes the hook that Envoy runs before it ends. It asks clients to reconnect elsewhere and waits for requests in
 * flight. SIGTERM alone would cut off every request. Envoy's image has bash but no curl.
 */
export function makeDrainHook({ adminPort, statPrefix, noticeSeconds, limitSeconds }: DrainOptions) {
  const script = [
    'ask() {',
    `  exec 3<>/dev/tcp/127.0.0.1/${adminPort}`,
    String.raw`  printf '%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n' "$1" "$2" >&3`,
    '  cat <&3',
    '}',
    "ask POST '/drain_listeners?graceful' >/dev/null",
    `sleep ${noticeSeconds}`,
    `while [ $SECONDS -lt ${noticeSeconds + limitSeconds} ] && ask GET '/stats?filter=${statPrefix}.downstream_rq_active' | grep -q 'active: [1-9]'; do sleep 1; done`,
  ].join('\n');
  return {
    lifecycle: { preStop: { exec: { command: ['/bin/bash', '-c', script] } } },
    terminationGracePeriodSeconds: noticeSeconds + limitSeconds + MARGIN_SECONDS,
  };
}
