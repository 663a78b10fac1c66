import { z } from 'zod';
import type { Fingerprint, Report } from '../schemas/report.ts';

/** Endpoint → environment → fingerprint and, where there is room, its parts. */
const reviewed = z.strictObject({
  reviewed_version: z.literal(1),
  endpoints: z.record(
    z.string(),
    z.record(
      z.string(),
      z.strictObject({
        digest: z.string().regex(/^[0-9a-f]{64}$/),
        parts: z.record(z.string(), z.string().regex(/^[0-9a-f]{16}$/)).exactOptional(),
      }),
    ),
  ),
});

/** What was reviewed of a pull request: what a deployment must come to. */
export interface Reviewed {
  /** Undefined: nobody has seen a plan of that endpoint there. */
  readonly find: (endpoint: string, environment: string) => Fingerprint | undefined;
}

/** GitHub takes 65535 characters for the text of a check run. */
export const REVIEWED_CHARACTERS = 60_000;

/** The fingerprints of a report as one line of JSON; their parts too, as long as all of it fits. Throws when nothing does. */
export function renderReviewed({ endpoints }: Report, limit = REVIEWED_CHARACTERS): string {
  const render = (shorten: (whole: Fingerprint) => object) => {
    const told = endpoints.map((e) => {
      const plans = e.previews.flatMap((p) =>
        p.fingerprint ? [[p.environment, shorten(p.fingerprint)] as const] : [],
      );
      return [e.endpoint, Object.fromEntries(plans)] as const;
    });
    return JSON.stringify({ reviewed_version: 1, endpoints: Object.fromEntries(told) });
  };
  const whole = render((f) => f);
  if (whole.length <= limit) return whole;
  const short = render(({ digest }) => ({ digest }));
  if (short.length <= limit) return short;
  throw new RangeError(
    `Cannot keep the fingerprints of ${endpoints.length} endpoints: they have ${short.length} characters, expected at most ${limit}; change fewer endpoints in one pull request`,
  );
}

/** The way back: the line may stand among others, as people read them. Undefined: there is none. */
export function parseReviewed(text: string): Reviewed | undefined {
  for (const line of text.split('\n').filter((l) => l.startsWith('{"reviewed_version":'))) {
    const parsed = reviewed.safeParse(parseJson(line));
    if (!parsed.success) continue;
    const all = new Map(Object.entries(parsed.data.endpoints));
    return {
      find: (endpoint, environment) => {
        const found = new Map(Object.entries(all.get(endpoint) ?? {})).get(environment);
        return found && { digest: found.digest, parts: found.parts ?? {} };
      },
    };
  }
  return undefined;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
