import { error, setFailed, setOutput, warning } from '@actions/core';
import { checkPaths } from '../cli/check.ts';
import { findProjectRoot } from '../cli/find-project-root.ts';
import type { Diagnostic } from '../schemas/diagnostic.ts';
import { readInputs } from './inputs.ts';

/** Checks the files, puts each diagnostic on its line, and fails when one is an error. */
export async function main(): Promise<void> {
  const cwd = process.cwd();
  const { diagnostics } = await checkPaths(readInputs().paths, { cwd, root: () => findProjectRoot(cwd) });
  for (const d of diagnostics) annotate(d);
  const errors = diagnostics.filter((d) => d.severity === 'error').length;
  setOutput('errors', errors);
  if (errors > 0) setFailed(`${errors} ${errors === 1 ? 'error' : 'errors'} in endpoint files`);
}

function annotate({ severity, code, message, hint, file, line, column }: Diagnostic): void {
  const say = severity === 'error' ? error : warning;
  say(hint ? `${message}\n${hint}` : message, { title: code, file, startLine: line, startColumn: column });
}
