import { z } from 'zod';
import type { Fingerprint, Report } from '../schemas/report/report.ts';

/** Endpoint → environment → fingerprint and, if there is room, its parts. */
const reviewedPlansFile = z.strictObject({
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

/** The reviewed fingerprints of a pull request, which a deployment must match. */
export interface ReviewedPlans {
  /** Undefined: no plan of that endpoint was reviewed for that environment. */
  readonly find: (endpoint: string, environment: string) => Fingerprint | undefined;
}

/** GitHub accepts 65535 characters for the text of a check run. */
export const REVIEWED_CHARACTERS = 60_000;

/**
 * The fingerprints of a report as one line of JSON, with their parts if everything fits. Throws when not even the
 * digests fit.
 */
export function renderReviewedPlans({ endpoints }: Report, limit = REVIEWED_CHARACTERS): string {
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
    `Cannot store the fingerprints of ${endpoints.length} endpoints: they have ${short.length} characters, expected at most ${limit}; change fewer endpoints in one pull request`,
  );
}

/** Parses that line, which may be among other lines of text. Undefined: not found. */
export function parseReviewedPlans(text: string): ReviewedPlans | undefined {
  for (const line of text.split('\n').filter((l) => l.startsWith('{"reviewed_version":'))) {
    const parsed = reviewedPlansFile.safeParse(parseJson(line));
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
