import type { EndpointReport, Report } from '../schemas/report.ts';
import { LEAST, renderDetails, renderDiagnostics } from './render-details.ts';
import { renderCallouts } from './render-callouts.ts';
import { renderFoot } from './render-foot.ts';
import { listColumns, renderHead, renderRow } from './render-table.ts';
import { renderStandings, renderTopLine, sortEndpoints } from './standing.ts';

/** By this the comment is found again; nobody sees it. */
export const REPORT_MARKER = '<!-- davit:report v1 -->';
/** What GitHub takes for a comment, in UTF-16 units: never fewer than the characters it counts. */
export const COMMENT_CHARACTERS = 65_536;
/** A report in a comment leaves room for what becomes of the merge. */
const REPORT_CHARACTERS = COMMENT_CHARACTERS - 8500;
const SHORTENED = {
  here: '_Shortened to fit: `npx davit review --json` has everything._',
  run: "_Shortened to fit: the run's summary has more, its artifact davit-report everything._",
} as const;

/**
 * Renders a report as GitHub's Markdown of at most `limit` characters. What does not fit is told in fewer words, the
 * least important endpoint first; nothing is cut in the middle.
 */
export function renderReport(report: Report, limit = REPORT_CHARACTERS): string {
  const endpoints = sortEndpoints(report);
  const head = [`${REPORT_MARKER}\n### ${renderTopLine(report)}`, ...renderCallouts(report)].join('\n\n');
  const foot = renderFoot(report);
  const hint = report.pull_request === null ? SHORTENED.here : SHORTENED.run;
  const frame = [head, hint, foot].join('\n\n').length;
  const table = renderTable(endpoints, report, limit - frame);
  const others = (step: number) => renderDiagnostics(report.diagnostics, step);
  const parts = [others, ...endpoints.map((e) => (step: number) => renderDetails(e, report, step))];
  const { blocks, shortened } = pack(parts, limit - frame - table.text.length);
  const note = shortened || table.shortened ? hint : '';
  return `${[head, table.text, ...blocks, note, foot].filter((b) => b !== '').join('\n\n')}\n`;
}

/** The rows that fit; of the others how many and of which kind. */
function renderTable(endpoints: readonly EndpointReport[], report: Report, limit: number) {
  const environments = listColumns(report);
  if (endpoints.length === 0) return { text: '', shortened: false };
  const lines = [...renderHead(environments)];
  const more = (left: readonly EndpointReport[]) => `\n\nand ${left.length} more: ${renderStandings(left, report)}`;
  const room = limit - more(endpoints).length - 200; // the counts of fewer endpoints may be longer
  let length = lines.join('\n').length;
  let shown = 0;
  for (const endpoint of endpoints) {
    const row = renderRow(endpoint, report);
    if (length + row.length + 1 > room) break;
    lines.push(row);
    length += row.length + 1;
    shown += 1;
  }
  const left = endpoints.slice(shown);
  return { text: lines.join('\n') + (left.length > 0 ? more(left) : ''), shortened: left.length > 0 };
}

/** Takes every part in as many words as fit: steps down from the last part to the first, whole parts only. */
function pack(parts: readonly ((step: number) => string)[], limit: number) {
  const blocks = parts.map((render) => render(0));
  const size = (block: string) => (block === '' ? 0 : block.length + 2);
  let total = blocks.reduce((sum, block) => sum + size(block), 2);
  let shortened = false;
  for (let step = 1; step <= LEAST && total > limit; step += 1) {
    for (let i = parts.length - 1; i >= 0 && total > limit; i -= 1) {
      const shorter = parts[i]?.(step) ?? '';
      total += size(shorter) - size(blocks[i] ?? '');
      blocks[i] = shorter;
      shortened = true;
    }
  }
  return { blocks, shortened };
}
