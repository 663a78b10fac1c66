import { styleText } from 'node:util';
import { listMessages } from '../app/outage.ts';
import { type Diagnostic, renderDiagnostic } from '../schemas/diagnostic.ts';
import type { Progress } from '../system/progress.ts';
import { type Outcome, UsageError } from './command.ts';

interface How {
  readonly json: boolean;
  /** Undefined when the verb does not exist. */
  readonly command: string | undefined;
}

/** Writes progress lines to standard error, grey on a terminal. */
export function stderrProgress(quiet: boolean): Progress {
  return { say: (line) => (quiet ? undefined : void process.stderr.write(`${paint('gray', line)}\n`)) };
}

/**
 * Prints a verb's outcome: one document with `--json`, else diagnostics on standard error and text on standard output.
 */
export function printOutcome({ diagnostics, result, text }: Outcome, { json, command }: How): void {
  if (json) {
    printJson({ command, diagnostics, result });
    return;
  }
  for (const d of diagnostics) process.stderr.write(`${paintDiagnostic(d)}\n`);
  if (text) process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Prints an error with its causes. Prints the stack only with DAVIT_DEBUG. */
export function printError(error: unknown, { json, command }: How): void {
  const usage = error instanceof UsageError;
  const [message = '', ...others] = listMessages(error);
  const causes = usage ? [] : others;
  if (json) printJson({ command: command ?? null, diagnostics: [], result: null, error: { message, causes } });
  process.stderr.write(`${paint('red', message)}\n`);
  for (const cause of causes) process.stderr.write(`  because: ${cause}\n`);
  if (usage) process.stderr.write(`Try: npx davit ${command ? `${command} ` : ''}--help\n`);
  else if (process.env['DAVIT_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
}

function paintDiagnostic(d: Diagnostic): string {
  const [first = '', ...rest] = renderDiagnostic(d).split('\n');
  return [paint(d.severity === 'error' ? 'red' : 'yellow', first), ...rest].join('\n');
}

function paint(colour: 'red' | 'yellow' | 'gray', text: string): string {
  return styleText(colour, text, { stream: process.stderr });
}

function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
