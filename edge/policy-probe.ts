import { connect } from 'node:net';

const CONNECT_MILLISECONDS = 1500;
/** Anybody may ask, so an answer is remembered for a while. */
const FRESH_MILLISECONDS = 2000;

export interface ProbedPorts {
  /** Open to everybody. */
  readonly health: number;
  /** Closed to other replicas by the platform's network policy. */
  readonly traffic: number;
}

/**
 * Makes the function that says whether the cluster's network enforces network policies. It tries what they forbid: a
 * connection to another replica's port for Envoy. Undefined: there is no other replica, or it does not answer at all.
 */
export function makePolicyProbe(
  others: () => readonly string[],
  ports: ProbedPorts,
): () => Promise<boolean | undefined> {
  let last: { readonly at: number; readonly answer: Promise<boolean | undefined> } | undefined;
  const probe = async () => {
    const [address] = others();
    if (address === undefined || !(await accepts(address, ports.health))) return undefined;
    return !(await accepts(address, ports.traffic));
  };
  return () => {
    if (!last || performance.now() - last.at > FRESH_MILLISECONDS) last = { at: performance.now(), answer: probe() };
    return last.answer;
  };
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host, port, timeout: CONNECT_MILLISECONDS });
    const end = (accepted: boolean) => {
      socket.destroy();
      done(accepted);
    };
    socket
      .on('connect', () => end(true))
      .on('timeout', () => end(false))
      .on('error', () => end(false));
  });
}
