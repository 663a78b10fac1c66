// Installs the official Pulumi into a folder: `node engine/install/install-official-pulumi.ts FOLDER`. See source-download.ts.
import { PulumiCommand } from '@pulumi/pulumi/automation/index.js';

const SITE = 'https://get.pulumi.com/install.sh';
/** A closed network may neither answer nor refuse; the installer itself would wait for 2 minutes. */
const REACH_MILLISECONDS = 5000;

const folder = process.argv[2] ?? '.';
try {
  await fetch(SITE, { method: 'HEAD', signal: AbortSignal.timeout(REACH_MILLISECONDS) });
} catch (e) {
  const { cause = e } = e as Error;
  const why = cause instanceof Error && 'code' in cause ? String(cause.code) : (cause as Error).message;
  process.stderr.write(`get.pulumi.com cannot be reached (${why})\n`);
  process.exit(1);
}
await PulumiCommand.install({ root: folder });
