import { z } from 'zod';
import type { ProcessResult } from '../../system/run-process.ts';
import { type Refusal, SOURCES_VARIABLE } from './model-sources.ts';

/** The last line that download_model.py writes to standard error. */
const failure = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('refused'), source: z.string() }),
  z.object({ kind: z.literal('package'), package: z.string() }),
  z.object({ kind: z.enum(['denied', 'missing', 'unreachable']) }),
  z.object({ kind: z.literal('failed'), error: z.string().regex(/^\w+$/) }),
]);

const HINT = 'Check the URI, MLFLOW_TRACKING_URI and your credentials for it';
const REASONS = {
  denied: 'access was denied',
  missing: 'there is no such model or directory',
  unreachable: 'the server is not reachable',
} as const;

/** Explains a failed download by its kind alone: what a server has answered is for nobody who only reads a report. */
export function explainDownloadFailure({ timedOut, stderr }: ProcessResult, limitSeconds: number): Refusal {
  if (timedOut) return { why: `it took longer than ${limitSeconds} s`, hint: HINT };
  const reason = parseLastLine(stderr);
  if (reason === undefined) return { why: 'the download program failed', hint: HINT };
  switch (reason.kind) {
    case 'refused':
      return {
        why: `its files are at ${reason.source}, which is not an allowed source`,
        hint: `To allow it, the owner of the repository adds it to ${SOURCES_VARIABLE} in the environment of Davit`,
      };
    case 'package':
      return {
        why: `Davit has no package${reason.package === '' ? '' : ` ${reason.package}`} to read this URI`,
        hint: 'Download the model and write its path',
      };
    case 'failed':
      return { why: `the download failed (${reason.error})`, hint: HINT };
    case 'denied':
    case 'missing':
    case 'unreachable':
      return { why: REASONS[reason.kind], hint: HINT };
  }
}

function parseLastLine(stderr: string): z.infer<typeof failure> | undefined {
  try {
    return failure.safeParse(JSON.parse(stderr.trim().split('\n').at(-1) ?? '')).data;
  } catch {
    return undefined;
  }
}
