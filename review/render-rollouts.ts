import { isWebAddress } from '../schemas/report.ts';
import type { Rollout, RolloutState } from '../schemas/rollout.ts';
import { renderLink, renderSpan } from './render-code.ts';
import { COMMENT_CHARACTERS, REPORT_MARKER } from './render-report.ts';

const [OPEN, CLOSE] = ['<!-- davit:rollouts -->', '<!-- davit:rollouts end -->'];
/** A report in a comment leaves so much room for them. */
const ROLLOUTS_CHARACTERS = 8000;
const NAME_CHARACTERS = 63;
const CAUSES = 5;
const CAUSE_STEPS = [400, 120, 0] as const;

const WORDS: Readonly<Record<RolloutState, { readonly sign: string; readonly words: string }>> = {
  failed: { sign: '❌', words: '**failed**, what served before serves on' },
  stopped: { sign: '❌', words: '**stopped**, nothing was changed' },
  cancelled: { sign: '❔', words: '**cancelled**' },
  deploying: { sign: '⏳', words: 'deploying' },
  waiting: { sign: '⏳', words: 'waiting' },
  live: { sign: '✅', words: 'live' },
  removed: { sign: '✅', words: 'taken down' },
};
const ORDER = Object.keys(WORDS) as readonly RolloutState[];

/** `1 failed, 3 live` */
export function renderRolloutLine(rollouts: readonly Rollout[]): string {
  const counts = ORDER.map((state) => ({ state, count: rollouts.filter((r) => r.state === state).length }));
  const told = counts.filter((c) => c.count > 0).map((c) => `${c.count} ${c.state}`);
  return told.length === 0 ? 'nothing to deploy' : told.join(', ');
}

/** What became of the merge, as Markdown of at most `limit` characters: failures first, and whole lines only. */
export function renderRollouts(rollouts: readonly Rollout[], limit = ROLLOUTS_CHARACTERS): string {
  const rank = (r: Rollout) => ORDER.indexOf(r.state);
  const sorted = [...rollouts].sort((a, b) => rank(a) - rank(b) || compare(a, b));
  const head = `### Merged: ${renderRolloutLine(rollouts)}`;
  for (const characters of CAUSE_STEPS) {
    const text = [head, renderTable(sorted, characters)].join('\n\n');
    if (text.length <= limit) return text;
  }
  const shown = fit(sorted, limit - head.length - 200);
  const rest = sorted.slice(shown.length);
  return [head, renderTable(shown, 0), `and ${rest.length} more: ${renderRolloutLine(rest)}`].join('\n\n');
}

/**
 * The comment of a merged pull request with its rollouts at the top, in place of those that are there already. `comment`
 * is what GitHub has, whoever wrote it; its first line may be the marker. At most what GitHub takes for a comment.
 */
export function placeRollouts(comment: string, rollouts: readonly Rollout[]): string {
  const marked = comment.startsWith(`${REPORT_MARKER}\n`);
  const text = marked ? comment.slice(REPORT_MARKER.length + 1) : comment;
  const rest = withoutRollouts(text);
  const frame = REPORT_MARKER.length + OPEN.length + CLOSE.length + 8;
  const room = COMMENT_CHARACTERS - frame - rest.length;
  // Somebody has made it longer than a report ever is: what became of the merge is worth more.
  const kept = room >= 1000 ? rest : '';
  const limit = Math.min(ROLLOUTS_CHARACTERS, room >= 1000 ? room : ROLLOUTS_CHARACTERS);
  const block = [OPEN, renderRollouts(rollouts, limit), CLOSE].join('\n\n');
  return [...(marked ? [REPORT_MARKER] : []), `${block}\n\n${kept}`.trimEnd(), ''].join('\n');
}

/** Only where we put it, and up to a line of its own: what a name or a cause says is never alone in a line. */
function withoutRollouts(text: string): string {
  if (!text.startsWith(`${OPEN}\n`)) return text;
  const end = text.indexOf(`\n${CLOSE}\n`);
  return end < 0 ? '' : text.slice(end + CLOSE.length + 2).trimStart();
}

function renderTable(rollouts: readonly Rollout[], causeCharacters: number): string {
  const rows = rollouts.map((r) => renderRow(r, causeCharacters));
  return ['|  | endpoint | environment | state |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function renderRow({ endpoint, environment, state, causes, url, runUrl }: Rollout, characters: number): string {
  const { sign, words } = WORDS[state];
  const told = characters === 0 ? [] : causes.slice(0, CAUSES).map((c) => `<br>${renderSpan(c, characters)}`);
  const more = causes.length > CAUSES && characters > 0 ? `<br>and ${causes.length - CAUSES} more` : '';
  const at = url !== undefined && state === 'live' ? ` at ${renderSpan(url, 300)}` : '';
  const run = runUrl !== undefined && isWebAddress(runUrl) ? ` (${renderLink('run', runUrl)})` : '';
  const names = [endpoint, environment].map((name) => renderSpan(name, NAME_CHARACTERS));
  return `| ${[sign, ...names, `${words}${at}${run}${told.join('')}${more}`].join(' | ')} |`;
}

function fit(rollouts: readonly Rollout[], limit: number): readonly Rollout[] {
  let length = renderTable([], 0).length;
  const end = rollouts.findIndex((r) => (length += renderRow(r, 0).length + 1) > limit);
  return end < 0 ? rollouts : rollouts.slice(0, end);
}

function compare(a: Rollout, b: Rollout): number {
  return a.environment === b.environment ? (a.endpoint < b.endpoint ? -1 : 1) : a.environment < b.environment ? -1 : 1;
}
