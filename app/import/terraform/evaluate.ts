import type { Node } from 'web-tree-sitter';
import type { SourceLocation } from '../../../schemas/diagnostic.ts';
import {
  isScalar,
  listOf,
  lookUp,
  makeMap,
  mapOf,
  MAX_SIZE,
  measure,
  renderScalar,
  type SourceNode,
  TOO_LARGE,
} from '../source-node.ts';
import { toBoolean, toNumber } from './convert-value.ts';
import { callFunction } from './functions.ts';
import { applyOperator, OPERATORS } from './operators.ts';
import { failIfUnresolved, Unresolvable } from './unresolvable.ts';
import { joinTemplate, splitTemplate, unescapeText } from './templates.ts';

/** What names mean: `var.x` and `local.x` are found by this function, or it throws Unresolvable. */
export interface Scope {
  readonly resolve: (path: readonly string[], depth: number) => { readonly node: SourceNode; readonly used: number };
  readonly locate: (node: Node) => SourceLocation;
}

/** Of the expressions, and of the variables and locals that they refer to. */
const MAX_DEPTH = 400;

/** The value of an expression. A value that cannot be known keeps its text, `${…}`, and says why. */
export function evaluate(node: Node, scope: Scope, depth = 0): SourceNode {
  try {
    return { ...evaluateExpression(node, scope, depth), place: scope.locate(node) };
  } catch (e) {
    if (!(e instanceof Unresolvable)) throw e;
    return { place: scope.locate(node), value: `\${${node.text}}`, unresolved: e.message };
  }
}

/** The value of an expression, or throws Unresolvable. */
export function evaluateExpression(node: Node, scope: Scope, depth: number): SourceNode {
  const result = evaluateNode(node, scope, depth);
  if (measure(result) > MAX_SIZE) throw new Unresolvable(TOO_LARGE);
  return result;
}

function evaluateNode(node: Node, scope: Scope, depth: number): SourceNode {
  if (depth > MAX_DEPTH) throw new Unresolvable('it is nested too deeply');
  const place = scope.locate(node);
  const inner = (child: Node) => evaluateExpression(child, scope, depth + 1);
  const first = node.namedChildren.find((child) => child.type !== 'comment');
  switch (node.type) {
    case 'literal_value':
    case 'collection_value':
    case 'operation':
      if (!first) throw new Unresolvable('it is not an expression that Davit reads');
      return inner(first);
    case 'template_expr':
      return evaluateTemplate(first ?? node, scope, depth);
    case 'string_lit':
      return { place, value: unescapeText(node.text.slice(1, -1)) };
    case 'numeric_lit':
      return { place, value: Number(node.text) };
    case 'bool_lit':
      return { place, value: node.text === 'true' };
    case 'null_lit':
      return { place, value: null };
    case 'tuple':
      return { place, value: childrenOf(node, 'expression').map((child) => evaluate(child, scope, depth + 1)) };
    case 'object':
      return evaluateObject(node, scope, depth);
    case 'conditional': {
      const [condition, yes, no] = childrenOf(node, 'expression');
      const chosen = condition && toBoolean(failIfUnresolved(inner(condition)).value) ? yes : no;
      if (!chosen) throw new Unresolvable('it is not an expression that Davit reads');
      return inner(chosen);
    }
    case 'function_call': {
      const [name, list] = node.namedChildren;
      const given = list ? childrenOf(list, 'expression').map(inner) : [];
      return callFunction(name?.text ?? '', given, place);
    }
    case 'unary_operation':
    case 'binary_operation':
    case 'expression':
      return evaluateSequence(node.children, scope, depth + 1);
    default:
      throw new Unresolvable(`Davit does not evaluate ${node.type.replaceAll('_', ' ')}`);
  }
}

function childrenOf(node: Node, type: string): readonly Node[] {
  return node.namedChildren.filter((child) => child.type === type);
}

/** Operands with their attributes and indexes, and the operators between them. */
function evaluateSequence(children: readonly Node[], scope: Scope, depth: number): SourceNode {
  if (depth > MAX_DEPTH) throw new Unresolvable('it is nested too deeply');
  const [operator, ...rest] = children;
  if (operator && !operator.isNamed && ['-', '!'].includes(operator.type)) {
    const operand = failIfUnresolved(evaluateSequence(rest, scope, depth + 1));
    if (operator.type === '!') return { place: operand.place, value: !toBoolean(operand.value) };
    return { place: operand.place, value: -toNumber(operand.value) };
  }
  const at = children.findIndex((child) => OPERATORS.has(child.type));
  if (at < 0) return evaluateOperand(children, scope, depth);
  const [left, right] = [children.slice(0, at), children.slice(at + 1)].map((part) =>
    failIfUnresolved(evaluateSequence(part, scope, depth + 1)),
  );
  const result =
    left && right && isScalar(left) && isScalar(right)
      ? applyOperator(children[at]?.type ?? '', left.value, right.value)
      : undefined;
  if (!left || result === undefined) throw new Unresolvable('Davit does not evaluate this operation');
  return { place: left.place, value: result };
}

function evaluateOperand(children: readonly Node[], scope: Scope, depth: number): SourceNode {
  const parts = children.filter((child) => child.isNamed && child.type !== 'comment');
  const [head, ...steps] = parts;
  if (!head) throw new Unresolvable('it is not an expression that Davit reads');
  const names = steps.map((step) => readStep(step, scope, depth));
  if (head.type !== 'variable_expr') return follow(evaluateExpression(head, scope, depth + 1), names, head.text);
  const path = [head.text, ...names];
  const { node, used } = scope.resolve(path, depth);
  return follow(node, path.slice(used), path.slice(0, used).join('.'));
}

function follow(node: SourceNode, names: readonly string[], name: string): SourceNode {
  const found = lookUp(node, names);
  if (found) return found;
  throw new Unresolvable(`${name} has no "${names.join('.')}" that Davit knows`);
}

function readStep(step: Node, scope: Scope, depth: number): string {
  if (step.type === 'get_attr') return step.namedChildren[0]?.text ?? '';
  const expression = step.type === 'index' ? step.namedChildren[0]?.namedChildren[0] : undefined;
  if (!expression) throw new Unresolvable('Davit does not evaluate splat expressions');
  return renderScalar(failIfUnresolved(evaluateExpression(expression, scope, depth + 1)));
}

function evaluateObject(node: Node, scope: Scope, depth: number): SourceNode {
  const pairs = childrenOf(node, 'object_elem').flatMap((element): (readonly [string, SourceNode])[] => {
    const [key, value] = childrenOf(element, 'expression');
    return key && value ? [[readKey(key, scope, depth), evaluate(value, scope, depth + 1)]] : [];
  });
  return makeMap(pairs, scope.locate(node));
}

/** A word is a key as it is written: only a key in parentheses is an expression. */
function readKey(key: Node, scope: Scope, depth: number): string {
  const [only, ...others] = key.children;
  if (only?.type === 'variable_expr' && others.length === 0) return only.text;
  return renderScalar(failIfUnresolved(evaluateExpression(key, scope, depth + 1)));
}

/** Texts and interpolations. An interpolation that cannot be known keeps its text. */
function evaluateTemplate(node: Node, scope: Scope, depth: number): SourceNode {
  const place = scope.locate(node);
  const parts = splitTemplate(node).map((part) => {
    if (typeof part === 'string') return part;
    const expression = part.namedChildren.find((child) => child.type === 'expression');
    if (!expression) throw new Unresolvable('Davit does not evaluate directives of templates');
    return evaluate(expression, scope, depth + 1);
  });
  const [only] = parts;
  if (parts.length === 1 && typeof only === 'object') return only;
  const failed = parts.find((part) => typeof part === 'object' && part.unresolved !== undefined);
  const reason = typeof failed === 'object' ? failed.unresolved : undefined;
  const texts = parts.map((part) => (typeof part === 'string' ? part : renderPart(part)));
  if (texts.reduce((sum, text) => sum + text.length, 0) > MAX_SIZE) throw new Unresolvable(TOO_LARGE);
  return { place, value: joinTemplate(node, texts), ...(reason !== undefined && { unresolved: reason }) };
}

function renderPart(node: SourceNode): string {
  if (listOf(node) || mapOf(node)) throw new Unresolvable('a list or map is not a text');
  return renderScalar(node);
}
