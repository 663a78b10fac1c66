import type { EndpointReport, Report } from '../schemas/report/report.ts';
import { DETAIL_LEVEL_COUNT, renderDetails, renderDiagnostics } from './render-details.ts';
import { renderCallouts } from './render-callouts.ts';
import { renderFooter } from './render-footer.ts';
import { listColumns, renderHead, renderRow } from './render-table.ts';
import { renderReviewStates, renderSummaryLine, sortEndpoints, determineReviewState } from './review-state.ts';

/** The marker by which the comment is found again; it is invisible. */
export const REPORT_MARKER = '<!-- davit:report v1 -->';
/** GitHub's limit for a comment, in UTF-16 units, which are never fewer than the characters that GitHub counts. */
export const COMMENT_CHARACTERS = 65_536;
/** Above this many endpoints, those without a change are folded. */
const FOLD_THRESHOLD = 12;
/** A report in a comment leaves room for the rollouts after the merge. */
const REPORT_CHARACTERS = COMMENT_CHARACTERS - 8500;
const SHORTENED = {
  here: '_Shortened to fit: `npx davit review --json` has everything._',
  run: "_Shortened to fit: the run's summary has more, its artifact davit-report everything._",
} as const;

/**
 * Renders a report as GitHub's Markdown of at most `limit` characters. Details that do not fit are shortened, the least
 * important endpoint first. Nothing is cut in the middle.
 */
export function renderReport(report: Report, limit = REPORT_CHARACTERS): string {
  const endpoints = sortEndpoints(report);
  const head = [`${REPORT_MARKER}\n### ${renderSummaryLine(report)}`, ...renderCallouts(report)].join('\n\n');
  const foot = renderFooter(report);
  const hint = report.pull_request === null ? SHORTENED.here : SHORTENED.run;
  const frame = [head, hint, foot].join('\n\n').length;
  const table = renderTable(endpoints, report, limit - frame);
  const others = (step: number) => renderOtherDiagnostics(report, step);
  const parts = [
    others,
    ...listProminent(endpoints, report).map((e) => (step: number) => renderDetails(e, report, step)),
  ];
  const { blocks, shortened } = fitParts(parts, limit - frame - table.text.length);
  const note = shortened || table.shortened ? hint : '';
  return `${[head, table.text, ...blocks, note, foot].filter((b) => b !== '').join('\n\n')}\n`;
}

function renderOtherDiagnostics(report: Report, step: number): string {
  const list = renderDiagnostics(report.diagnostics, step, report);
  return list === '' ? '' : `In other files:\n\n${list}`;
}

/** The rows that fit. Of many endpoints, those without a change are folded. The rest is counted by kind. */
function renderTable(endpoints: readonly EndpointReport[], report: Report, limit: number) {
  if (endpoints.length === 0) return { text: '', shortened: false };
  const head = renderHead(listColumns(report)).join('\n');
  const more = (left: readonly EndpointReport[]) => `and ${left.length} more: ${renderReviewStates(left, report)}`;
  // Room for a second head and its frame, and because the counts of fewer endpoints may be longer.
  const room = limit - 2 * head.length - more(endpoints).length - 300;
  const rows = fitRows(endpoints, report, room);
  const loud = listProminent(endpoints, report).length;
  const parts = [rows.slice(0, loud), rows.slice(loud)].map((lines) => [head, ...lines].join('\n'));
  const folded = `<details><summary>${rows.length - loud} without a change</summary>\n\n${parts[1] ?? ''}\n\n</details>`;
  const left = endpoints.slice(rows.length);
  const shown = [loud > 0 ? parts[0] : '', rows.length > loud ? folded : '', left.length > 0 ? more(left) : ''];
  return { text: shown.filter((t) => t !== '').join('\n\n'), shortened: left.length > 0 };
}

function fitRows(endpoints: readonly EndpointReport[], report: Report, room: number): readonly string[] {
  const rows = endpoints.map((endpoint) => renderRow(endpoint, report));
  let length = 0;
  const end = rows.findIndex((row) => (length += row.length + 1) > room);
  return end < 0 ? rows : rows.slice(0, end);
}

/** The endpoints that a reviewer reads. Of many endpoints, those without a change, which come last, are left out. */
function listProminent(endpoints: readonly EndpointReport[], report: Report): readonly EndpointReport[] {
  if (endpoints.length <= FOLD_THRESHOLD) return endpoints;
  return endpoints.filter((e) => determineReviewState(e, report) !== 'no-change');
}

/** Renders every part in as much detail as fits: shortens from the last part to the first, and keeps parts whole. */
function fitParts(parts: readonly ((step: number) => string)[], limit: number) {
  const size = (block: string) => (block === '' ? 0 : block.length + 2);
  const fits = (step: number) => {
    let total = 2;
    return parts.every((render) => (total += size(render(step))) <= limit); // renders no part after the first too many
  };
  let step = 0;
  while (step < DETAIL_LEVEL_COUNT && !fits(step)) step += 1;
  const blocks = parts.map((render) => render(step));
  if (step === 0) return { blocks, shortened: false };
  let total = blocks.reduce((sum, block) => sum + size(block), 2);
  for (const [i, render] of parts.entries()) {
    const longer = render(step - 1);
    total += size(longer) - size(blocks[i] ?? '');
    if (total > limit) break;
    blocks[i] = longer;
  }
  return { blocks, shortened: true };
}
