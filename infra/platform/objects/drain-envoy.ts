/** An Envoy that is to end: where its administration answers, and what its connection manager is called. */
export interface DrainedEnvoy {
  readonly adminPort: number;
  /** `stat_prefix` of the listeners that clients use. */
  readonly statPrefix: string;
  /** So long new requests still come, until everybody knows that the pod goes. */
  readonly noticeSeconds: number;
  /** What is still answered then is cut off. */
  readonly limitSeconds: number;
}

/** Seconds between the end of the waiting and the end of the pod's time. */
const MARGIN_SECONDS = 15;

/**
 * Makes what Envoy does before it ends: it asks clients to come again elsewhere, and waits for what it is answering.
 * SIGTERM alone would cut every request off. Envoy's image has bash and no curl.
 */
export function makeDrain({ adminPort, statPrefix, noticeSeconds, limitSeconds }: DrainedEnvoy) {
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
