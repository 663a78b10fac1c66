import { digestProgram } from '../engine/digest-program.ts';
import type { ReviewedProgram } from '../review/reviewed-plans.ts';
import { readVersion } from '../system/code.ts';

/** The program of the running release, with which it would deploy. */
export async function readProgram(): Promise<ReviewedProgram> {
  return { digest: await digestProgram(), version: readVersion() };
}
