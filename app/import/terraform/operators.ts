import type { Scalar } from '../source-node.ts';
import { toBoolean, toNumber } from './convert-value.ts';

/** The operators between two operands. The grammar nests them by precedence already. */
export const OPERATORS: ReadonlySet<string> = new Set([
  ...['||', '&&', '==', '!=', '<', '<=', '>', '>='],
  ...['+', '-', '*', '/', '%'],
]);

/** The result of an operation, or undefined if Terraform would refuse it. Converts texts as Terraform does. */
export function applyOperator(operator: string, left: Scalar, right: Scalar): Scalar | undefined {
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (operator === '&&') return [left, right].map(toBoolean).every(Boolean);
  if (operator === '||') return [left, right].map(toBoolean).some(Boolean);
  const result = ARITHMETIC[operator]?.(toNumber(left), toNumber(right));
  return typeof result === 'number' && !Number.isFinite(result) ? undefined : result;
}

const ARITHMETIC: Partial<Record<string, (a: number, b: number) => Scalar>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};
