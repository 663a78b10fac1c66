import type { Fault, ParsedSeed } from './seed.ts';

interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface LimitedRequest {
  readonly method: string;
  readonly name: string | undefined;
  readonly text: string;
}

const MINUTE = 60_000;
const HOUR = 3_600_000;

/** GitHub's rate limits, and the faults that a test requests. Both replace a request's normal response. */
export function makeLimits({ limits, faults: planted }: ParsedSeed) {
  const faults = planted.map((fault) => ({ ...fault }));
  const writes: number[] = [];
  let used = 0;
  let resetAt = Date.now() + HOUR;

  function findFault({ name }: LimitedRequest) {
    const fault = faults.find((f) => f.times > 0 && (f.operation === '*' || f.operation === name));
    if (!fault) return undefined;
    if (fault.after > 0) {
      fault.after -= 1;
      return undefined;
    }
    fault.times -= 1;
    return fault;
  }

  function exceeded({ method, text }: LimitedRequest): Reply | undefined {
    const now = Date.now();
    if (now > resetAt) [used, resetAt] = [0, now + HOUR];
    used += 1;
    if (used > limits.requestsPerHour) return say(403, 'API rate limit exceeded for installation.');
    const isWrite = method !== 'GET' && !(text.startsWith('{"query":"query') || text.includes('"query":"query'));
    if (!isWrite) return undefined;
    while (writes[0] !== undefined && writes[0] < now - MINUTE) writes.shift();
    if (writes.push(now) <= limits.writesPerMinute) return undefined;
    writes.length = 0; // a client that has waited may write again
    return say(403, 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.', {
      'retry-after': String(limits.retryAfterSeconds),
    });
  }

  return {
    fail: ({ headers = {}, message = 'Server Error', times = 1, after = 0, done = false, ...fault }: Fault) =>
      void faults.push({ ...fault, headers, message, times, after, done }),
    headers: () => ({
      'x-ratelimit-limit': String(limits.requestsPerHour),
      'x-ratelimit-remaining': String(Math.max(0, limits.requestsPerHour - used)),
      'x-ratelimit-reset': String(Math.ceil(resetAt / 1000)),
    }),
    around: async (asked: LimitedRequest, answer: () => Promise<Reply>): Promise<Reply> => {
      const tooFast = exceeded(asked);
      if (tooFast) return tooFast;
      const fault = findFault(asked);
      if (!fault) return answer();
      if (fault.done) await answer();
      return say(fault.status, fault.message, fault.headers);
    },
  };
}

function say(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers, body: { message, documentation_url: 'https://docs.github.com/rest' } };
}
