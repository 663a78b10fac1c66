import type { Diagnostic } from '../schemas/diagnostic.ts';
import type { EnvironmentRequest } from './project-request.ts';
import { notDeployed } from './status.ts';
import { openTarget } from './targets/open-target.ts';
import type { EntityLog, WantedLogs } from './targets/target.ts';

/** Reads the logs of an endpoint's model servers, or of their preparation. */
export async function readLogsOf(
  wanted: WantedLogs,
  { place, environment, signal }: EnvironmentRequest,
): Promise<{ readonly logs: readonly EntityLog[]; readonly diagnostics: readonly Diagnostic[] }> {
  const logs = await openTarget(place.root, environment, signal).readLogs(wanted);
  if (logs.length > 0) return { logs, diagnostics: [] };
  const { endpoint } = wanted;
  const message =
    wanted.build && environment.target === 'kubernetes'
      ? `Cannot show how "${endpoint}" was built: no image of it was built on this machine, expected the log of one`
      : `Cannot show logs of "${endpoint}": it is not deployed to ${environment.name}`;
  return { logs, diagnostics: [notDeployed(endpoint, message)] };
}
