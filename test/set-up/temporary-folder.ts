import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** All tests use one temporary folder, which is removed when the last of them ends. */
export default function setUp(): void {
  const folder = mkdtempSync(join(tmpdir(), 'dt-')); // short, because it holds sockets
  process.env['TMPDIR'] = folder; // for the workers too
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 2 }));
}
