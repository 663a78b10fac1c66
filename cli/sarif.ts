import { relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type DiagnosticCode, DIAGNOSTIC_CODES } from '../schemas/diagnostic-codes.ts';
import type { Diagnostic } from '../schemas/diagnostic.ts';
import { EXPLANATIONS } from '../schemas/explanations/explanations.ts';
import { renderCodePage } from '../schemas/explanations/render-page.ts';
import { contentHash } from '../schemas/values/names.ts';
import { readVersion } from '../system/code.ts';
import { findRepository } from '../system/git/git-files.ts';
import { findSourceFile } from './source-lines.ts';

/** The folders of a command, to find the files that diagnostics name. */
export interface SarifContext {
  readonly cwd: string;
  /** Absent outside a project. */
  readonly root: string | undefined;
  /** Errors that are no diagnostic: an outage or wrong usage. */
  readonly errors?: readonly string[];
}

/** Renders diagnostics as SARIF 2.1.0, which code scanning of GitHub and other services read. */
export function makeSarif(diagnostics: readonly Diagnostic[], context: SarifContext): object {
  const codes = [...new Set(diagnostics.map((d) => d.code))].sort();
  const { errors = [] } = context;
  const notifications = errors.map((text) => ({ level: 'error', message: { text } }));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Davit', semanticVersion: readVersion(), rules: codes.map(makeRule) } },
        invocations: [{ executionSuccessful: errors.length === 0, toolExecutionNotifications: notifications }],
        columnKind: 'utf16CodeUnits',
        results: diagnostics.map((d) => makeResult(d, codes.indexOf(d.code), context)),
      },
    ],
  };
}

function makeRule(code: DiagnosticCode) {
  const { means, repair } = EXPLANATIONS[code];
  const markdown = renderCodePage(code);
  return {
    id: code,
    shortDescription: { text: DIAGNOSTIC_CODES[code] },
    fullDescription: { text: means },
    help: { text: `${means}\n\n${repair}\n\nnpx davit explain ${code}`, markdown },
  };
}

function makeResult(d: Diagnostic, ruleIndex: number, context: SarifContext) {
  const { code: ruleId, severity: level, line: startLine, column: startColumn } = d;
  const text = d.hint === undefined ? d.message : `${d.message}. ${d.hint}`;
  const uri = locateFile(d.file, context);
  return {
    ...{ ruleId, ruleIndex, level, message: { text } },
    locations: [{ physicalLocation: { artifactLocation: { uri }, region: { startLine, startColumn } } }],
    // Without line numbers, so that lines added above the place do not make a new alert.
    partialFingerprints: { 'davit/v1': contentHash([ruleId, uri, d.message]) },
  };
}

/** Relative to the repository, as code scanning wants; outside of it, absolute. */
function locateFile(file: string, { cwd, root = cwd }: SarifContext): string {
  const path = findSourceFile(file, [cwd, root]) ?? resolve(root, file);
  const repository = findRepository(cwd) ?? root;
  const below = relative(repository, path);
  if (below.startsWith('..')) return pathToFileURL(path).href;
  return below.split(/[\\/]/).map(encodeURIComponent).join('/');
}
