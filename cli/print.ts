import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { styleText } from 'node:util';
import { listMessages } from '../app/catch-outage.ts';
import { type Diagnostic, renderDiagnostic } from '../schemas/diagnostic.ts';
import type { Progress } from '../system/progress.ts';
import { codePath } from '../system/code.ts';
import { type Outcome, type OutputFormat, UsageError } from './command.ts';
import { renderSourceLines } from './source-lines.ts';

interface How {
  readonly format: OutputFormat;
  /** Undefined when the verb does not exist. */
  readonly command: string | undefined;
  /** The folders that paths of diagnostics are relative to: the user's, then the project's. */
  readonly folders: readonly string[];
}

/** Writes progress lines to standard error, grey on a terminal. */
export function stderrProgress(quiet: boolean): Progress {
  return { say: (line) => (quiet ? undefined : void process.stderr.write(`${paint('gray', line)}\n`)) };
}

/**
 * Prints a verb's outcome: one document with `--json` or `--format sarif`, else diagnostics on standard error and text on
 * standard output.
 */
export async function printOutcome({ diagnostics, result, text }: Outcome, how: How): Promise<void> {
  const { format, command, folders } = how;
  if (format === 'json') printJson({ command, diagnostics, result });
  if (format === 'sarif') await printSarif(diagnostics, how);
  if (format !== 'text') return;
  const isTerminal = process.stderr.isTTY;
  for (const d of diagnostics) process.stderr.write(`${renderForTerminal(d, isTerminal ? folders : [])}\n`);
  process.stderr.write(renderPages(diagnostics));
  if (text) process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Prints an error with its causes. Prints the stack only with DAVIT_DEBUG. */
export async function printError(error: unknown, how: How): Promise<void> {
  const { format, command } = how;
  const usage = error instanceof UsageError;
  const [message = '', ...others] = listMessages(error);
  const causes = usage ? [] : others;
  if (format === 'json')
    printJson({ command: command ?? null, diagnostics: [], result: null, error: { message, causes } });
  if (format === 'sarif') await printSarif([], how, [[message, ...causes].join('; because: ')]);
  process.stderr.write(`${paint('red', message)}\n`);
  for (const cause of causes) process.stderr.write(`  because: ${cause}\n`);
  if (usage && error.needsHelp) process.stderr.write(`Try: npx davit ${command ? `${command} ` : ''}--help\n`);
  else if (!usage && process.env['DAVIT_DEBUG'] && error instanceof Error)
    process.stderr.write(`${error.stack ?? ''}\n`);
}

/** Loads what only this format needs. */
async function printSarif(diagnostics: readonly Diagnostic[], { folders }: How, errors: readonly string[] = []) {
  const { makeSarif } = await import('./sarif.ts');
  const [cwd = process.cwd(), root] = folders;
  printJson(makeSarif(diagnostics, { cwd, root, errors }));
}

/** One diagnostic: its line, the line of the file with a caret where folders are given, and the hint. */
function renderForTerminal(d: Diagnostic, folders: readonly string[]): string {
  const [first = '', ...rest] = renderDiagnostic(d).split('\n');
  const source = folders.length === 0 ? [] : renderSourceLines(d, folders).map((line) => `    ${line}`);
  return [paint(d.severity === 'error' ? 'red' : 'yellow', first), ...source, ...rest].join('\n');
}

/** Where the codes are explained: the command, and the page among Davit's files. */
function renderPages(diagnostics: readonly Diagnostic[]): string {
  const codes = [...new Set(diagnostics.map((d) => d.code))].sort();
  if (codes.length === 0) return '';
  const page = codePath('docs', 'diagnostics', ...(codes.length === 1 ? [`${codes[0] ?? ''}.md`] : []));
  const near = relative(process.cwd(), page);
  const where = existsSync(page) ? ` (${near.startsWith('..') ? page : near})` : '';
  return `${paint('gray', `Explained by npx davit explain ${codes.join(' ')}${where}`)}\n`;
}

function paint(colour: 'red' | 'yellow' | 'gray', text: string): string {
  return styleText(colour, text, { stream: process.stderr });
}

function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
