import { join } from 'node:path';
import { readText } from '../../schemas/read-project.ts';
import { type EndpointReport, parseReport, type Report } from '../../schemas/report/report.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';

/**
 * A stage's folder has the report, the locks that the stage computed (`locks/NAME.lock`), and a bill of materials for
 * each validated entity (`sboms/ENDPOINT/ENTITY.cdx.json`).
 */
const REPORT = 'report.json';
export const LOCKS = 'locks';
export const SBOMS = 'sboms';

/** Writes `report.json` into a stage's folder. */
export async function writeReport(folder: string, report: Report): Promise<void> {
  await writeFileAtomically(join(folder, REPORT), `${JSON.stringify(report)}\n`);
}

/**
 * The validate stage's report of each endpoint; empty if it left none. The report was written where models ran, so it
 * is not trusted: at worst an endpoint is not previewed, and its report says so. Throws when the file is not a report.
 */
export async function readValidated(folder: string | undefined): Promise<ReadonlyMap<string, EndpointReport>> {
  const text = folder === undefined ? undefined : await readText(join(folder, REPORT));
  const endpoints = text === undefined ? [] : parseReport(text).endpoints;
  return new Map(endpoints.map((e) => [e.endpoint, e]));
}
