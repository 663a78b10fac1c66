import { join } from 'node:path';
import { z } from 'zod';
import { isVirtualenvInstalled, locateVirtualenv, makeVirtualenvRequest } from '../../python/ensure-virtualenv.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import { readText } from '../../schemas/read-project.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { ComparisonError } from '../../validation/comparison/comparison-error.ts';

const HANDED_OVER = 'handed-over.json';

/** Of one version: the new one, or that of the base branch. */
const version = z.strictObject({
  /** Full version of the Python of its virtualenv. Null: the virtualenv is not handed over. */
  python: z.string().nullable(),
  /** Whether a wheel of it is built. The job with credentials builds nothing. */
  has_builds: z.boolean(),
  /** Why it could not be fetched. `fault`: its files are wrong, so another attempt will not help. */
  missing: z.strictObject({ why: z.string(), cause: z.enum(['fault', 'outage']) }).nullable(),
});
const versions = z.record(z.string(), version);
const handedOver = z.record(z.string(), z.strictObject({ new: versions, old: versions }));

export type HandedOverVersion = z.infer<typeof version>;
/** What the job with credentials has left for one endpoint besides its report, by the names of the served entities. */
export type HandedOver = z.infer<typeof handedOver>[string];

export async function writeHandedOver(folder: string, endpoints: ReadonlyMap<string, HandedOver>): Promise<void> {
  await writeFileAtomically(join(folder, HANDED_OVER), `${JSON.stringify(Object.fromEntries(endpoints))}\n`);
}

export async function readHandedOver(folder: string): Promise<ReadonlyMap<string, HandedOver>> {
  const text = await readText(join(folder, HANDED_OVER));
  return new Map(text === undefined ? [] : Object.entries(handedOver.parse(JSON.parse(text))));
}

/** Throws what the job with credentials has found about a version of the base branch, before anything is requested again. */
export function requireHandedOver(found: HandedOverVersion | undefined): void {
  if (!found) throw new Error('the job "fetch" has not handed it over: re-run all jobs');
  if (!found.missing) return;
  const { why, cause } = found.missing;
  throw cause === 'fault' ? new ComparisonError(why) : new Error(`the job "fetch" has not handed it over: ${why}`);
}

/**
 * Throws where this machine does not have the virtualenv that was handed over. To install it needs the credentials of the
 * index, so the endpoint is not at fault.
 */
export async function requireVirtualenv(
  { lock, entity }: { readonly lock: Lock; readonly entity: string },
  found: HandedOverVersion | undefined,
  options: PythonOptions,
): Promise<void> {
  if (!found || found.python === null) return;
  const here = await locateVirtualenv(makeVirtualenvRequest(lock, entity), options);
  if (here && (await isVirtualenvInstalled(here))) return;
  const why =
    here?.pythonVersion === found.python
      ? 'this job does not have it'
      : `this job's runner has ${here ? `Python ${here.pythonVersion}` : 'no such Python'}, because the runners' images differ`;
  throw new Error(
    `Cannot use the virtualenv of ${entity} that the job "fetch" has made with Python ${found.python}: ${why}. Re-run all jobs`,
  );
}
