import type { EngineEvent, StepEventMetadata } from '@pulumi/pulumi/automation/index.js';
import { resourceName } from './plan.ts';

/** One line about the engine's current step; undefined: nothing to report. */
export function renderEvent({ diagnosticEvent, resourcePreEvent, resOutputsEvent }: EngineEvent): string | undefined {
  if (diagnosticEvent) {
    const { severity, urn, message } = diagnosticEvent;
    const text = message.trim();
    if (text === '' || (severity !== 'info' && severity !== 'warning')) return undefined; // errors are failures
    const line = urn && !isStack(urn) ? `${resourceName(urn)}: ${text}` : text;
    return severity === 'warning' ? `warning: ${line}` : line;
  }
  if (resourcePreEvent && !resourcePreEvent.planning) return renderStep(resourcePreEvent.metadata, 0);
  if (resOutputsEvent && !resOutputsEvent.planning) return renderStep(resOutputsEvent.metadata, 1);
  return undefined;
}

const STEPS: Readonly<Partial<Record<string, readonly [string, string]>>> = {
  create: ['creating …', 'created'],
  'create-replacement': ['creating …', 'created'],
  update: ['updating …', 'updated'],
  delete: ['deleting …', 'deleted'],
  'delete-replaced': ['deleting the replaced one …', 'deleted the replaced one'],
};

/** A resource that the engine drops from the state without deleting it. */
const RETAINED = [undefined, 'left as it is'] as const;

function renderStep({ op, urn, type, new: after, old: before }: StepEventMetadata, at: 0 | 1): string | undefined {
  const { custom = false, retainOnDelete = false } = after ?? before ?? {};
  const words = (op === 'delete' && retainOnDelete ? RETAINED : STEPS[op])?.[at];
  if (!words || !custom || type.startsWith('pulumi:')) return undefined;
  // Objects of different kinds may have the same name.
  const kind = type.startsWith('kubernetes:') ? `${type.split(':').at(-1) ?? ''} ` : '';
  return `${kind}${resourceName(urn)}: ${words}`;
}

function isStack(urn: string): boolean {
  return urn.includes('::pulumi:pulumi:Stack::');
}
