// Builds what a test would otherwise build within its own time limit: some minutes with an empty cache, else nothing.
// `npm test` runs it beside the gate.
import { findPulumi } from '../engine/install/find-pulumi.ts';
import { ensureGoProgram } from './go-programs.ts';

const progress = { say: (line: string) => process.stderr.write(`${line}\n`) };

await findPulumi({ progress });
await ensureGoProgram('act', { progress });
