import { z } from 'zod';
import type { Fingerprint, Report } from '../schemas/report/report.ts';

/** The first digits of Git's id of a file. */
const FILE_ID_CHARACTERS = 12;

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
  /** The program of the plans. Absent: there is no plan. */
  program: z.strictObject({ digest: z.string(), version: z.string().exactOptional() }).exactOptional(),
  /** Path → id of the file. Absent: there is no room, or an older release made the plans. */
  files: z.record(z.string(), z.string()).exactOptional(),
});

/** The reviewed fingerprints of a pull request, which a deployment must match. */
export interface ReviewedPlans {
  /** Undefined: no plan of that endpoint was reviewed for that environment. */
  readonly find: (endpoint: string, environment: string) => Fingerprint | undefined;
  /** The names of the reviewed endpoints. */
  readonly endpoints: readonly string[];
  /** The names of the environments for which an endpoint has a plan. */
  readonly listEnvironments: (endpoint: string) => readonly string[];
  /** The program that made the plans. Undefined: there is no plan. */
  readonly program: ReviewedProgram | undefined;
  /** The ids of the files that the plans were made from, by path in the project. Undefined: not recorded. */
  readonly files: ReadonlyMap<string, string> | undefined;
}

/** What plans were made from. */
export type ReviewedState = Pick<ReviewedPlans, 'program' | 'files'>;

/** A release of Davit, as far as it decides about plans. */
export interface ReviewedProgram {
  readonly digest: string;
  readonly version?: string;
}

/** GitHub accepts 65535 characters for the text of a check run. */
export const REVIEWED_CHARACTERS = 60_000;

/** What the plans of a report were made from. Needs no room in a check run, unlike the fingerprints. */
export function readReviewedState({ program }: Report): ReviewedState {
  const files = program?.files && Object.entries(program.files);
  return {
    program: program ? { digest: program.digest } : undefined,
    files: files && new Map(files.map(([path, id]) => [path, shortenFileId(id)])),
  };
}

/**
 * The fingerprints of a report as one line of JSON, with their parts and the files if everything fits. Throws when not even
 * the digests fit.
 */
export function renderReviewedPlans({ endpoints, program }: Report, limit = REVIEWED_CHARACTERS): string {
  const origin = program && {
    digest: program.digest,
    ...(program.version !== undefined && { version: program.version }),
  };
  const files = Object.entries(program?.files ?? {}).map(([path, id]) => [path, shortenFileId(id)] as const);
  const render = (shorten: (whole: Fingerprint) => object, withFiles: boolean) => {
    const entries = endpoints.map((e) => {
      const plans = e.previews.flatMap((p) =>
        p.fingerprint ? [[p.environment, shorten(p.fingerprint)] as const] : [],
      );
      return [e.endpoint, Object.fromEntries(plans)] as const;
    });
    return JSON.stringify({
      reviewed_version: 1,
      endpoints: Object.fromEntries(entries),
      ...(origin && { program: origin }),
      ...(withFiles && files.length > 0 && { files: Object.fromEntries(files) }),
    });
  };
  const digestOnly = ({ digest }: Fingerprint) => ({ digest });
  const choices = [() => render((f) => f, true), () => render(digestOnly, true), () => render(digestOnly, false)];
  let text = '';
  for (const choice of choices) {
    text = choice();
    if (text.length <= limit) return text;
  }
  throw new RangeError(
    `Cannot store the fingerprints of ${endpoints.length} endpoints: they have ${text.length} characters, expected at most ${limit}; change fewer endpoints in one pull request`,
  );
}

/** Parses that line, which may be among other lines of text. Undefined: not found. */
export function parseReviewedPlans(text: string): ReviewedPlans | undefined {
  for (const line of text.split('\n').filter((l) => l.startsWith('{"reviewed_version":'))) {
    const parsed = reviewedPlansFile.safeParse(parseJson(line));
    if (!parsed.success) continue;
    const { endpoints, program, files } = parsed.data;
    const all = new Map(Object.entries(endpoints));
    return {
      find: (endpoint, environment) => {
        const found = new Map(Object.entries(all.get(endpoint) ?? {})).get(environment);
        return found && { digest: found.digest, parts: found.parts ?? {} };
      },
      endpoints: [...all.keys()],
      listEnvironments: (endpoint) => Object.keys(all.get(endpoint) ?? {}),
      program,
      files: files && new Map(Object.entries(files)),
    };
  }
  return undefined;
}

/** The form of Git's ids in `ReviewedPlans`; undefined stays undefined: there is no such file. */
export function shortenFileId<T extends string | undefined>(id: T): T {
  return id?.slice(0, FILE_ID_CHARACTERS) as T;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
