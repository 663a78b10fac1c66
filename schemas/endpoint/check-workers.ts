import { isGpu } from '../environment/default-hardware.ts';
import { type Diagnostic, makeError } from '../diagnostic.ts';
import { type EndpointFile, entityName } from './endpoint-file.ts';
import type { ParsedYaml } from '../yaml/parse-yaml.ts';

/** Allows one worker per GPU: the driver does not survive a fork, and a second model copy would need a second GPU. */
export function checkWorkers(
  { config, davit }: EndpointFile,
  locate: ParsedYaml<unknown>['locate'],
): readonly Diagnostic[] {
  return config.served_entities.flatMap((served) => {
    const name = entityName(served);
    const mode = davit?.served_entities?.[name]?.workers;
    const type = served.workload_type ?? 'CPU';
    if (mode === undefined || mode === 'one' || !isGpu(type)) return [];
    const message = `Cannot use workers: ${mode} for "${name}" beside workload_type: ${type}: expected one, because one process has the card`;
    const place = locate(['davit', 'served_entities', name, 'workers']);
    return [makeError('conflicting-fields', place, message, 'Remove workers, or choose a CPU type')];
  });
}
