import type { Scalar } from '../source-node.ts';

/** The operators between two operands. The grammar nests them by precedence already. */
export const OPERATORS: Readonly<Record<string, true>> = Object.fromEntries(
  ['||', '&&', '==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%'].map((operator) => [operator, true as const]),
);

/** The result of an operation, or undefined if Terraform would refuse it. */
export function applyOperator(operator: string, left: Scalar, right: Scalar): Scalar | undefined {
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (operator === '&&') return left === true && right === true;
  if (operator === '||') return left === true || right === true;
  const [a, b] = [Number(left), Number(right)];
  if (left === null || right === null || Number.isNaN(a) || Number.isNaN(b)) return undefined;
  return ARITHMETIC[operator]?.(a, b);
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
