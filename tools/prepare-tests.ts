// Builds programs that a test would otherwise build within its own time limit. This takes some minutes with an empty
// cache, and no time otherwise. `npm test` runs it in parallel with the gate.
import { findPulumi } from '../engine/install/find-pulumi.ts';
import { ensureGoProgram } from './workflow-programs.ts';

const progress = { say: (line: string) => process.stderr.write(`${line}\n`) };

await findPulumi({ progress });
await ensureGoProgram('act', { progress });
