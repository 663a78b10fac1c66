import { z } from 'zod';
import type { IssueParams } from '../yaml/render-issue.ts';

/** JSON Schema types other than null, which every refused field may be: it requests nothing. */
const NOT_NULL = ['array', 'boolean', 'number', 'object', 'string'];

/**
 * Refuses a Databricks field that Davit would otherwise ignore silently. `why` ends the message. Null is accepted,
 * because it requests nothing.
 */
export function makeUnsupportedField(why: string, params: Omit<IssueParams, 'code' | 'key'> = {}) {
  return refuse(why, params, (value) => value == null).meta({
    description: `Not supported: ${why}`,
    not: { type: NOT_NULL },
  });
}

/** Refuses a Databricks feature that Davit does not have, unless it is switched off: null or `enabled: false`. */
export function makeUnsupportedFeature(why: string) {
  const params = { hint: 'Remove it, or write enabled: false' };
  return refuse(why, params, (value) => value == null || isSwitchedOff(value)).meta({
    description: `Not supported: ${why}`,
    not: {
      anyOf: [
        { type: NOT_NULL.filter((type) => type !== 'object') },
        { type: 'object', not: { properties: { enabled: { const: false } }, required: ['enabled'] } },
      ],
    },
  });
}

/** Why a field that Databricks writes is refused. */
export const OUTPUT_FIELD = 'Databricks sets it in its responses';

/** Databricks writes these fields into every response, so every exported endpoint contains them. */
export const databricksOutputField = makeUnsupportedField(OUTPUT_FIELD, {
  hint: 'Remove it; npx davit import FILE makes an endpoint file of a whole response',
});

/** The old name of a field. It is renamed before the schema is checked, so it is here only beside its new name. */
export function makeDeprecatedField(name: string, replacement: string) {
  const why = `Cannot use ${name} together with ${replacement}: expected one or the other`;
  const hint = `Remove ${name}, the deprecated name of ${replacement}`;
  return refuse(why, { hint }, (value) => value == null, 'conflicting-fields').meta({
    description: `Deprecated name of ${replacement}`,
    deprecated: true,
  });
}

function refuse(
  why: string,
  params: IssueParams,
  isAccepted: (value: unknown) => boolean,
  code: IssueParams['code'] = 'unsupported-field',
) {
  return z
    .unknown()
    .optional()
    .refine(isAccepted, { error: why, params: { hint: 'Remove it', ...params, code, key: true } });
}

function isSwitchedOff(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'enabled' in value && value.enabled === false;
}
