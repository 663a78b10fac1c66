import { isObserved, type Readiness, makeReadiness, readObjectStatus } from './readiness.ts';
import { findValues, parseJsonPath } from '../changes/json-path.ts';
import { type KubernetesObject, readPulumiAnnotation } from '../objects/kubernetes-object.ts';

/** The expressions of `pulumi.com/waitFor`: one expression, or a JSON list; undefined: not set. */
export function readWaitFor(object: KubernetesObject): readonly string[] | undefined {
  const text = readPulumiAnnotation(object, 'waitFor');
  if (text === undefined || text === '') return undefined;
  try {
    const parsed = JSON.parse(text) as unknown;
    if (Array.isArray(parsed) && parsed.every((e) => typeof e === 'string')) return parsed;
  } catch {
    // one expression
  }
  return [text];
}

/** What is wrong with the `waitFor` expressions; undefined: nothing. */
export function explainWaitFor(object: KubernetesObject): string | undefined {
  const expressions = readWaitFor(object);
  const wrong = expressions?.length === 0 ? '[]' : expressions?.find((e) => !parseExpression(e));
  if (wrong === undefined) return undefined;
  return `Cannot wait for "${wrong}": expected condition=TYPE, condition=TYPE=STATUS, jsonpath={.PATH} or jsonpath={.PATH}=VALUE`;
}

/** Whether a live object meets an expression. */
export function checkExpression(live: KubernetesObject, expression: string): Readiness {
  const wanted = parseExpression(expression);
  if (!wanted) return { state: 'failed', message: explainWaitFor(live) ?? `Cannot wait for "${expression}"` };
  return 'path' in wanted ? checkPath(live, wanted, expression) : checkCondition(live, wanted.type, wanted.status);
}

/** Whether a condition of a live object has a status. */
export function checkCondition(live: KubernetesObject, type: string, status = 'True'): Readiness {
  const { conditions = [], observedGeneration } = readObjectStatus<ConditionedStatus>(live);
  const found = conditions.find((c) => c.type.toLowerCase() === type.toLowerCase());
  const said = [found?.reason, found?.message].filter(Boolean).join(': ');
  const what = found ? said : 'not reported yet';
  const seen = isObserved(live, { observedGeneration: found?.observedGeneration ?? observedGeneration });
  const met = seen && found?.status.toLowerCase() === status.toLowerCase();
  return makeReadiness(met, `${type} is ${found?.status ?? 'unknown'}${what === '' ? '' : ` (${what})`}`);
}

interface ConditionedStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
    readonly observedGeneration?: number;
  }[];
}

type Expression =
  | { readonly type: string; readonly status: string }
  | { readonly path: NonNullable<ReturnType<typeof parseJsonPath>>; readonly value: string | undefined };

function parseExpression(text: string): Expression | undefined {
  const [, type, status = 'True'] = /^condition=([\w./-]+)(?:=(\w+))?$/.exec(text) ?? [];
  if (type !== undefined) return { type, status };
  const [, steps, value] =
    /^jsonpath=\{([^}]+)\}(?:=(.*))?$/s.exec(text.replaceAll(/^(jsonpath=)'(\{.*\})'/g, '$1$2')) ?? [];
  const path = steps === undefined ? undefined : parseJsonPath(steps);
  return path && { path, value };
}

function checkPath(
  live: KubernetesObject,
  { path, value }: Extract<Expression, { path: unknown }>,
  expression: string,
): Readiness {
  if (!isObserved(live, readObjectStatus<ConditionedStatus>(live)))
    return makeReadiness(false, `${expression}: not observed yet`);
  const found = findValues(live, path).map((v) => (typeof v === 'string' ? v : JSON.stringify(v)));
  const met = value === undefined ? found.length > 0 : found.length > 0 && found.every((v) => v === value);
  return makeReadiness(met, `waiting for ${expression}${found.length > 0 ? ` (found ${found.join(', ')})` : ''}`);
}
