import type { z } from 'zod';
import { InvalidParameterError } from './invalid-parameter.ts';

/**
 * Checks the parameters of a function that other programs call. `null` stands for a parameter that is not given, as `None`
 * does in Python. Throws an InvalidParameterError.
 */
export function parseParameters<T extends z.ZodType>(given: unknown, schema: T): z.output<T> {
  const { data, error } = schema.safeParse(dropNull(given), { reportInput: true });
  const [issue] = error?.issues ?? [];
  if (!issue) return data as z.output<T>;
  throw new InvalidParameterError(describeIssue(issue));
}

function dropNull(given: unknown): unknown {
  if (given === null || typeof given !== 'object') return given;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null && value !== undefined));
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const [name, ...inside] = issue.path;
  if (issue.code === 'unrecognized_keys')
    return `Cannot use the parameter "${issue.keys[0] ?? ''}": there is none of that name`;
  const whole = name === undefined ? 'the parameters' : String(name);
  const place = inside.length === 0 ? whole : `${whole}[${inside.map((step) => JSON.stringify(step)).join('][')}]`;
  if (issue.code === 'invalid_type' && issue.input === undefined)
    return `Cannot use the parameters without ${place}: expected a ${issue.expected}`;
  if (issue.code === 'invalid_value')
    return `Cannot use ${JSON.stringify(issue.input)} for ${place}: expected ${issue.values.map(String).join(' or ')}`;
  if (issue.code === 'invalid_type')
    return `Cannot use a ${typeof issue.input} for ${place}: expected ${nameType(issue.expected)}`;
  const why = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? '') : issue.message;
  return `Cannot use ${JSON.stringify(issue.input)} for ${place}: ${why}`;
}

function nameType(type: string): string {
  return type === 'array' ? 'a list' : type === 'record' ? 'an object' : `a ${type}`;
}
