import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { CODE_FOLDER } from '../system/code.ts';
import { listAttacks } from './helpers/attack-regular-expression.ts';

/** Tests, benchmarks and the gate read no text of strangers; the bundle is made from the other files. */
const ELSEWHERE = ['test/', 'tools/', 'bench/', 'action/dist/'];
/** These files read only Davit's own sources and lists. */
const OWN = ['images/collect-sources.ts', 'cluster/kind/kind-parts.ts'];
/**
 * A pattern of exponential time, or of the fourth power, is found at one of these lengths, before a length that never
 * ends.
 */
const SHORT = [18, 21, 24, 27, 30, 33, 36, 100];
const TRIES = 3;
const SHORT_MICROSECONDS = 5_000;
const SCREENED = 1_000;
const CONFIRMED = 8_000;
/** A linear pattern takes some 5 and 40 µs for these lengths, a quadratic one 0.2 to 1 ms and 15 to 60 ms. */
const SCREEN_MICROSECONDS = 100;
const CONFIRM_MICROSECONDS = 5_000;

/** A line that may hold a pattern to test. Most files hold none, and parsing them all takes seconds. */
const CANDIDATE = /\/(?![*/]).*[*+}].*\/|new RegExp\(/;
const COMMENT = /^\s*(?:\*|\/\/|\/\*)/;

interface Pattern {
  readonly where: string;
  /** As a literal; undefined: it is built from values known only at run time. */
  readonly text: string | undefined;
}

function listPatterns(): readonly Pattern[] {
  const files = execFileSync('git', ['ls-files', '*.ts', '*.mjs'], { cwd: CODE_FOLDER, encoding: 'utf8' })
    .trim()
    .split('\n');
  return files
    .filter((f) => !ELSEWHERE.some((e) => f.startsWith(e)) && !OWN.includes(f))
    .flatMap((file) => {
      const text = readFileSync(join(CODE_FOLDER, file), 'utf8');
      const isWorth = text.split('\n').some((line) => CANDIDATE.test(line) && !COMMENT.test(line));
      return isWorth ? readPatterns(ts.createSourceFile(file, text, ts.ScriptTarget.Latest)) : [];
    });
}

/** Literals, and patterns that `new RegExp` makes from constants of the same file. */
function readPatterns(source: ts.SourceFile): readonly Pattern[] {
  const found: Pattern[] = [];
  const constants = new Map<string, ts.Expression>();
  const add = (node: ts.Node, text: string | undefined) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    found.push({ where: `${source.fileName}:${line}`, text });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer)
      constants.set(node.name.text, node.initializer);
    if (ts.isRegularExpressionLiteral(node)) add(node, node.text);
    if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'RegExp') {
      const [made, flags] = (node.arguments ?? []).map((a) => readText(a, constants));
      add(node, made === undefined ? undefined : `/${made}/${flags ?? ''}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function readText(node: ts.Expression, constants: ReadonlyMap<string, ts.Expression>): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isIdentifier(node)) {
    const value = constants.get(node.text);
    return value && readText(value, constants);
  }
  if (ts.isTaggedTemplateExpression(node) && ts.isNoSubstitutionTemplateLiteral(node.template))
    return node.template.rawText;
  if (!ts.isTemplateExpression(node)) return undefined;
  const parts = node.templateSpans.map((span) => [readText(span.expression, constants), span.literal.text] as const);
  if (parts.some(([value]) => value === undefined)) return undefined;
  return node.head.text + parts.map(([value = '', text]) => value + text).join('');
}

/**
 * Whether a pattern needs no test: nothing repeats without limit, or a single part does, which is at the start and no
 * group.
 */
function isPlain(literal: string): boolean {
  const bare = literal.replace(/\\./g, 'e').replace(/\[[^\]]*\]/g, 'c');
  const repeated = [...bare.matchAll(/(.)(?:[*+]|\{\d+,\})/g)];
  const begins = bare.startsWith('/^') && !/\/[a-z]*m[a-z]*$/.test(bare) && !/\|\^|\|[^()]*$/.test(bare);
  return repeated.length === 0 || (repeated.length === 1 && begins && repeated[0]?.[1] !== ')');
}

/**
 * Whether a search takes longer, however often it is tried: other programs delay one try, not three in a row. The CPU time
 * of the thread is no measure, because some machines count it in steps of several milliseconds.
 */
function takesLonger(pattern: RegExp, text: string, microseconds: number): boolean {
  for (let i = 0; i < TRIES; i++) {
    const began = performance.now();
    text.replace(pattern, '');
    if ((performance.now() - began) * 1_000 < microseconds) return false;
  }
  return true;
}

/** The attack for which a pattern takes more than linear time. */
function findSlowAttack(literal: string): string | undefined {
  const end = literal.lastIndexOf('/');
  const [source, flags] = [literal.slice(1, end), literal.slice(end + 1)];
  const pattern = new RegExp(source, flags);
  for (const { head, unit } of listAttacks(source)) {
    const attack = (length: number) => `${head}${unit.repeat(Math.ceil(length / unit.length))}\0\n\0`;
    const isExponential = SHORT.some((length) => takesLonger(pattern, attack(length), SHORT_MICROSECONDS));
    const isSlow = () =>
      takesLonger(pattern, attack(SCREENED), SCREEN_MICROSECONDS) &&
      takesLonger(pattern, attack(CONFIRMED), CONFIRM_MICROSECONDS);
    if (isExponential || isSlow()) return `${head}${unit}${unit}…`;
  }
  return undefined;
}

test('findSlowAttack() finds patterns that are slow for some texts', () => {
  const slow = [
    '/(a+)+!/',
    '/^(a|aa)+!/',
    '/^a*a*a*a*!/',
    String.raw`/\s+$/`,
    String.raw`/lib[a-z.]+\.so: no/`,
    String.raw`/and ([a-z][^\s,]*?(?:=\S*)?) has no/`,
  ];
  expect(slow.filter((literal) => findSlowAttack(literal) === undefined)).toEqual([]);
});

test('isPlain() passes over only what is linear for every text', () => {
  const tried = ['/a+/', '/^(?:a|aa)+$/', '/^a|b+c/', '/^a+b/m', '/^a+b*c/', '/a{2,}b/', String.raw`/\d+\.$/`];
  const plain = ['/a/', '/^a+b/', String.raw`/^\[[*+]\d+(a|b)$/`, '/[*+]/'];
  expect([...tried, ...plain].filter(isPlain)).toEqual(plain);
});

test('readPatterns() reads what RegExp makes of constants', () => {
  const text = 'const PART = "a+";\nconst one = new RegExp(`^${PART}b`, "g");\nconst two = new RegExp(other);';
  expect(readPatterns(ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest))).toEqual([
    { where: 'x.ts:2', text: '/^a+b/g' },
    { where: 'x.ts:3', text: undefined },
  ]);
});

test('every regular expression takes time in proportion to the text, whatever the text', () => {
  const patterns = listPatterns();
  expect(patterns.length).toBeGreaterThan(200);
  const made = new Map(patterns.map(({ where, text }) => [text, where]));
  const slow = [...made].flatMap(([text, where]) => {
    if (text === undefined) return [{ where, attack: 'made from what only a run knows: expected constants' }];
    const attack = isPlain(text) ? undefined : findSlowAttack(text);
    return attack === undefined ? [] : [{ where, text, attack }];
  });
  expect(slow).toEqual([]);
});
