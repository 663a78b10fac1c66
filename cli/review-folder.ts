import { join } from 'node:path';
import { readText } from '../schemas/read-declared.ts';
import { type EndpointReport, parseReport, type Report } from '../schemas/report.ts';
import { writeFileAtomically } from '../system/atomic-files.ts';

/** In the folder that a stage leaves: the report, and the locks that it had to compute, `locks/NAME.lock`. */
const REPORT = 'report.json';
export const LOCKS = 'locks';

/** Writes `report.json` into a stage's folder. */
export async function writeReport(folder: string, report: Report): Promise<void> {
  await writeFileAtomically(join(folder, REPORT), `${JSON.stringify(report)}\n`);
}

/**
 * What the stage before says of each endpoint; none where it left no report. It was written where models ran: at worst an
 * endpoint is not previewed, and then says so. Throws when the report is not one.
 */
export async function readValidated(folder: string | undefined): Promise<ReadonlyMap<string, EndpointReport>> {
  const text = folder === undefined ? undefined : await readText(join(folder, REPORT));
  const endpoints = text === undefined ? [] : parseReport(text).endpoints;
  return new Map(endpoints.map((e) => [e.endpoint, e]));
}
