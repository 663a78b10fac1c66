import { renderBlock, renderHtmlCode, renderLine, renderSpan } from '../../review/render-code.ts';
import type { EndpointComparison, EnvironmentComparison } from './compare-environment.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';

/** GitHub's limit for an issue, less room for the marker. */
export const ISSUE_CHARACTERS = 65_000;
const LINES = 60;
const LINE_CHARACTERS = 300;
const ROWS = 100;
const SIGNS = { same: '✅', differs: '⚠️', unknown: '❔' } as const;

/** `production: 3 endpoints: 1 differs, 2 as merged` */
export function renderDriftLine({ environment, endpoints }: EnvironmentComparison): string {
  const words = { differs: 'differs', unknown: 'not compared', same: 'as merged' } as const;
  const kinds = (['differs', 'unknown', 'same'] as const).map((kind) => ({
    kind,
    count: endpoints.filter((e) => e.kind === kind).length,
  }));
  const parts = kinds.filter((k) => k.count > 0).map(({ kind, count }) => `${count} ${words[kind]}`);
  if (parts.length === 0) return `${environment}: no endpoints`;
  return `${environment}: ${pluralize(endpoints.length, 'endpoint')}: ${parts.join(', ')}`;
}

/** The differences as Markdown of at most `limit` characters: a table, then the plans that fit whole. */
export function renderDrift(comparison: EnvironmentComparison, runUrl: string, limit: number): string {
  const wrong = comparison.endpoints.filter((e) => e.kind !== 'same');
  const rows = wrong.slice(0, ROWS).map(renderRow);
  const more = wrong.length > ROWS ? [`| | and ${wrong.length - ROWS} more | |`] : [];
  const table = wrong.length === 0 ? [] : [['| | endpoint | |', '| --- | --- | --- |', ...rows, ...more].join('\n')];
  const next =
    wrong.length === 0 ? [] : ['Deploy again to restore the merged state, or open a pull request with the live state.'];
  const foot = `<sub>[Run](${runUrl})</sub>`;
  const head = [`### ${renderDriftLine(comparison)}`, ...table, ...next];
  let left = limit - [...head, foot].join('\n\n').length - 100;
  const blocks: string[] = [];
  for (const block of wrong.filter((e) => e.lines.length > 0).map(renderLines)) {
    if (block.length + 2 > left) {
      blocks.push('_The job summary has more._');
      break;
    }
    left -= block.length + 2;
    blocks.push(block);
  }
  return [...head, ...blocks, foot].join('\n\n');
}

function renderRow({ endpoint, kind, words }: EndpointComparison): string {
  return `| ${SIGNS[kind]} | ${renderSpan(endpoint)} | ${renderSpan(words)} |`;
}

function renderLines({ endpoint, lines }: EndpointComparison): string {
  const shown = lines.slice(0, LINES).map((line) => renderIndented(line));
  const cut = lines.length > LINES ? [`… and ${lines.length - LINES} more lines`] : [];
  const block = renderBlock([...shown, ...cut], 'text');
  return `<details>\n<summary>${renderHtmlCode(endpoint)}</summary>\n\n${block}\n\n</details>`;
}

function renderIndented(line: string): string {
  const indent = /^ {0,8}/.exec(line)?.[0] ?? '';
  return indent + renderLine(line, LINE_CHARACTERS);
}
