import { isGpu } from './workload.ts';
import { type Diagnostic, makeError } from '../diagnostic.ts';
import { type EndpointFile, entityName } from './endpoint-file.ts';
import type { ParsedYaml } from '../yaml/parsed-yaml.ts';

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
    const message = `Cannot use workers: ${mode} for "${name}" together with workload_type: ${type}: only one process can use the GPU, expected workers: one`;
    const place = locate(['davit', 'served_entities', name, 'workers']);
    return [makeError('conflicting-fields', place, message, 'Remove workers, or choose a CPU type')];
  });
}
