import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Node, Parser, Tree } from 'web-tree-sitter';
import { type Diagnostic, makeError, type SourceLocation } from '../../../schemas/diagnostic.ts';
import { codePath } from '../../../system/code.ts';

const GRAMMAR = '@tree-sitter-grammars/tree-sitter-hcl/tree-sitter-terraform.wasm';

export interface HclFile {
  readonly file: string;
  readonly text: string;
  /** The nodes of the file's own level: blocks and attributes. */
  readonly body: Node | undefined;
}

/** Where the lines of a tree come from, if its text was made of another file. */
const ORIGINS = new WeakMap<Tree, readonly SourceLocation[]>();

/**
 * Parses HCL 2 as HashiCorp's grammar for Terraform reads it. The parser is loaded at the first call. `origins`: the
 * places of the lines in the file that the text was made of.
 */
export async function parseHcl(
  text: string,
  file: string,
  origins?: readonly SourceLocation[],
): Promise<HclFile & { diagnostics: readonly Diagnostic[] }> {
  const tree = (await loadParser()).parse(text.replace(/^\uFEFF/, ''));
  if (tree && origins) ORIGINS.set(tree, origins);
  const root = tree?.rootNode;
  const broken = root?.hasError ? findBroken(root) : undefined;
  const diagnostics = broken
    ? [makeError('unreadable-file', locateNode(broken, file), `Cannot read HCL: unexpected ${describe(broken)}`)]
    : [];
  const body = root?.children.find((child) => child.type === 'body');
  return { file, text, body: broken ? undefined : body, diagnostics };
}

/** The place of a node in its file. */
export function locateNode({ startPosition, tree }: Node, file: string): SourceLocation {
  const origin = ORIGINS.get(tree)?.[startPosition.row];
  if (origin) return origin;
  return { file, line: startPosition.row + 1, column: startPosition.column + 1 };
}

let parser: Promise<Parser> | undefined;

function loadParser(): Promise<Parser> {
  return (parser ??= makeParser().catch((e: unknown) => {
    const how = 'npm install --save-dev web-tree-sitter @tree-sitter-grammars/tree-sitter-hcl';
    throw new Error(`Cannot load the parser of Terraform files. Install it: ${how}`, { cause: e });
  }));
}

async function makeParser(): Promise<Parser> {
  const library = await import('web-tree-sitter');
  await library.Parser.init();
  const require = createRequire(codePath('package.json'));
  const made = new library.Parser();
  return made.setLanguage(await library.Language.load(await readFile(require.resolve(GRAMMAR))));
}

/** The first node that the grammar could not read, or that is missing. A loop, because nesting can be deep. */
function findBroken(root: Node): Node {
  for (let node = root; ;) {
    const child = node.children.find((c) => c.hasError || c.isError || c.isMissing);
    if (!child || node.isError || node.isMissing) return node;
    node = child;
  }
}

function describe(node: Node): string {
  if (node.isMissing) return `end: expected "${node.type}" before it`;
  const line = node.text.trimStart().split('\n')[0] ?? '';
  return JSON.stringify(line.length > 40 ? `${line.slice(0, 40)}…` : line);
}
