import { type Document, isMap, isPair, isScalar, isSeq, type Node, type Pair, visit } from 'yaml';
import { type Diagnostic, makeError, makeWarning } from '../../diagnostic.ts';
import type { LocateOffset, Preparation } from '../../yaml/parse-yaml.ts';
import type { Path } from '../../yaml/parsed-yaml.ts';
import { renderPath } from '../../yaml/render-issue.ts';
import { findReferences, type Reference } from '../../values/variable-reference.ts';

/**
 * Finds variables of bundles, Terraform, workflows and shells in values and names. `isIgnored`: paths that nobody will
 * keep, because an error asks to remove them.
 */
export function findVariables(document: Document, at: LocateOffset, isIgnored: (path: Path) => boolean): Preparation {
  const diagnostics: Diagnostic[] = [];
  const wrong: Path[] = [];
  const report = (reference: string, path: Path, node: Node) => {
    if (isIgnored(path)) return;
    const place = at(node.range?.[0] ?? 0);
    diagnostics.push(makeError('unresolved-variable', place, ...renderVariable(reference, path)));
    wrong.push(path);
  };
  visit(document, {
    Scalar: (_key, node, ancestors) => {
      if (typeof node.value !== 'string' || !mayHaveReference(node.value)) return;
      const path = findPath([...ancestors, node]);
      const references = findReferences(node.value);
      const certain = references.find((reference) => isVariable(reference, path));
      if (certain) {
        report(certain.text, path, node);
        return;
      }
      const shell = references.find(({ kind }) => kind === 'shell');
      if (shell) diagnostics.push(warnAboutShell(shell.text, path, at(node.range?.[0] ?? 0)));
    },
    Map: (_key, node, ancestors) => {
      const text = readBraces(node);
      if (text === undefined) return undefined;
      report(text, findPath([...ancestors, node]), node);
      return visit.SKIP;
    },
  });
  return { diagnostics, wrong };
}

function mayHaveReference(text: string): boolean {
  return text.includes('${') || text.includes('{{');
}

/** The model reads its environment variables itself, so only references of known systems are mistakes there. */
function isVariable({ kind }: Reference, path: Path): boolean {
  const isEnvironmentVariable = path.length > 4 && path[3] === 'environment_vars';
  return isEnvironmentVariable ? kind === 'system' : true;
}

function renderVariable(reference: string, path: Path): [message: string, hint: string] {
  const shown = reference.length > 60 ? `${reference.slice(0, 57)}…` : reference;
  const secret = /^\{\{\s*secrets\//.test(reference);
  return [
    `Cannot use ${shown} in "${renderPath(path)}": endpoint files have no variables, expected the value itself`,
    secret
      ? 'A secret can be the value of an environment variable of a served entity, in quotes: "{{secrets/SCOPE/KEY}}"'
      : 'Write the value. For bundles and Terraform files, npx davit import FILE fills the variables in',
  ];
}

function warnAboutShell(reference: string, path: Path, place: ReturnType<LocateOffset>): Diagnostic {
  const message = `Found ${reference} in "${renderPath(path)}": the model gets these characters, not the value of a variable`;
  return makeWarning('unresolved-variable', place, message, 'Write the value, or a secret: "{{secrets/SCOPE/KEY}}"');
}

/** The text of `{{var.x}}` without quotes, which YAML reads as a map whose only key is a map. */
function readBraces(node: Node): string | undefined {
  if (!isMap(node) || node.flow !== true || node.items.length !== 1) return undefined;
  const [{ key: inner } = { key: undefined }] = node.items;
  if (!isMap(inner) || inner.flow !== true || inner.items.length !== 1) return undefined;
  const [{ key } = { key: undefined }] = inner.items;
  return isScalar(key) ? `{{${String(key.value)}}}` : undefined;
}

/** The steps from the root of the document to the last of these nodes. */
function findPath(chain: readonly (Document | Node | Pair)[]): Path {
  return chain.flatMap((node, i): Path => {
    const next = chain[i + 1];
    if (isPair(node)) return [isScalar(node.key) ? String(node.key.value) : ''];
    return isSeq(node) && next ? [node.items.indexOf(next)] : [];
  });
}
