import { isWebAddress } from '../schemas/report/report.ts';
import type { Rollout, RolloutState } from '../schemas/deployment/rollout.ts';
import { renderLink, renderSpan } from './render-code.ts';
import { COMMENT_CHARACTERS, REPORT_MARKER } from './render-report.ts';

const OPEN_MARKER = /^<!-- davit:rollouts ([A-Za-z0-9][A-Za-z0-9_-]{0,62}) -->\n/;
const CLOSE_MARKER = '<!-- davit:rollouts end -->';
/** Below this length a table is not useful. */
const MIN_CHARACTERS = 1000;
/** The room that a report in a comment leaves for the rollouts. */
const ROLLOUTS_CHARACTERS = 8000;
const NAME_CHARACTERS = 63;
const MAX_CAUSES = 5;
const CAUSE_STEPS = [400, 120, 0] as const;

interface StateWords {
  readonly sign: string;
  /** Names the state in a row, so that a later run recognizes the row. */
  readonly words: string;
  readonly consequence?: string;
}

const STATE_WORDS: Readonly<Record<RolloutState, StateWords>> = {
  // The update can fail before and after it moved the traffic, and a first deployment has no previous version.
  failed: { sign: '❌', words: '**failed**', consequence: 'what serves keeps serving' },
  stopped: { sign: '❌', words: '**stopped**', consequence: 'nothing was changed' },
  cancelled: { sign: '❔', words: '**cancelled**' },
  kept: { sign: '⚠️', words: '**still serving**' },
  deploying: { sign: '⏳', words: 'deploying' },
  waiting: { sign: '⏳', words: 'waiting' },
  superseded: { sign: 'ℹ️', words: 'superseded', consequence: 'nothing was changed' },
  live: { sign: '✅', words: 'live' },
  removed: { sign: '✅', words: 'removed' },
};
const ORDER = Object.keys(STATE_WORDS) as readonly RolloutState[];

/** `1 failed, 3 live` */
export function renderRolloutLine(rollouts: readonly Pick<Rollout, 'state'>[]): string {
  const counts = ORDER.map((state) => ({ state, count: rollouts.filter((r) => r.state === state).length }));
  const parts = counts.filter((c) => c.count > 0).map((c) => `${c.count} ${c.state}`);
  return parts.length === 0 ? 'nothing to deploy' : parts.join(', ');
}

/**
 * The rollouts of a merge as Markdown of at most `limit` characters: failures first, and only whole lines. `earlier`:
 * rows that earlier runs have left for other endpoints.
 */
export function renderRollouts(
  rollouts: readonly Rollout[],
  limit = ROLLOUTS_CHARACTERS,
  environment?: string,
  earlier: readonly RolloutRow[] = [],
): string {
  const rank = (r: Rollout) => ORDER.indexOf(r.state);
  const sorted = [...rollouts].sort((a, b) => rank(a) - rank(b) || compareRollouts(a, b));
  const head = `### ${environment ?? 'Merged'}: ${renderRolloutLine([...rollouts, ...earlier])}`;
  for (const characters of CAUSE_STEPS) {
    const text = [head, [renderTable(sorted, characters), ...earlier.map((r) => r.row)].join('\n')].join('\n\n');
    if (text.length <= limit) return text;
  }
  if (earlier.length > 0) return renderRollouts(rollouts, limit, environment);
  const shown = fitRollouts(sorted, limit - head.length - 200);
  const rest = sorted.slice(shown.length);
  return [head, renderTable(shown, 0), `and ${rest.length} more: ${renderRolloutLine(rest)}`].join('\n\n');
}

/**
 * The comment of a merged pull request with the rollouts to one environment at the top. They replace earlier rollouts
 * of the same endpoints to the same environment and follow those to other environments. `comment` is GitHub's text, whoever wrote it; its
 * first line may be the marker. The result fits GitHub's limit for a comment; the review is dropped first.
 * `environment`: a file's name.
 */
export function insertRollouts(comment: string, environment: string, rollouts: readonly Rollout[]): string {
  const marked = comment.startsWith(`${REPORT_MARKER}\n`);
  const { blocks, rest } = parseBlocks(marked ? comment.slice(REPORT_MARKER.length + 1) : comment);
  const open = `<!-- davit:rollouts ${environment} -->`;
  const frame = REPORT_MARKER.length + open.length + CLOSE_MARKER.length + 8;
  const others = new Map([...blocks].filter(([name]) => name !== environment));
  const nothing = new Map<string, string>();
  const choices = [
    { before: others, below: rest },
    { before: others, below: '' },
    { before: nothing, below: '' },
  ] as const;
  const roomWith = ({ before, below }: { readonly before: ReadonlyMap<string, string>; readonly below: string }) =>
    COMMENT_CHARACTERS - frame - below.length - [...before.values()].reduce((sum, b) => sum + b.length + 2, 0);
  const kept = choices.find((choice) => roomWith(choice) >= MIN_CHARACTERS) ?? choices[2];
  const { before, below } = kept;
  const earlier = parseRows(blocks.get(environment) ?? '', rollouts);
  const text = renderRollouts(rollouts, Math.min(ROLLOUTS_CHARACTERS, roomWith(kept)), environment, earlier);
  const placed = new Map([...blocks.keys(), environment].map((name) => [name, before.get(name) ?? '']));
  placed.set(environment, [open, text, CLOSE_MARKER].join('\n\n'));
  const shown = [...placed.values(), below.trimEnd()].filter((b) => b !== '').join('\n\n');
  return [...(marked ? [REPORT_MARKER] : []), shown, ''].join('\n');
}

/**
 * Reads blocks only where we put them, up to a closing marker on its own line, because names and causes are never alone
 * in a line.
 */
function parseBlocks(text: string): { readonly blocks: ReadonlyMap<string, string>; readonly rest: string } {
  const blocks = new Map<string, string>();
  let rest = text;
  for (let name = OPEN_MARKER.exec(rest)?.[1]; name !== undefined; name = OPEN_MARKER.exec(rest)?.[1]) {
    const end = `${rest}\n`.indexOf(`\n${CLOSE_MARKER}\n`);
    if (end < 0) return { blocks, rest: '' }; // somebody has edited it
    blocks.set(name, rest.slice(0, end + CLOSE_MARKER.length + 1));
    rest = rest.slice(end + CLOSE_MARKER.length + 1).trimStart();
  }
  return { blocks, rest };
}

/** One line of our table, as an earlier run has left it. */
interface RolloutRow {
  readonly row: string;
  readonly state: RolloutState;
}

/** The rows of a block for endpoints that are not in `rollouts`. No text in a row can contain the cells' separator. */
function parseRows(block: string, rollouts: readonly Rollout[]): readonly RolloutRow[] {
  const names = new Set(rollouts.map((r) => renderNames(r).join(' | ')));
  return block.split('\n').flatMap((row) => {
    const [sign = '', endpoint = '', environment = '', words = ''] = row.slice(2, -2).split(' | ');
    const state = ORDER.find((s) => STATE_WORDS[s].sign === sign && words.startsWith(STATE_WORDS[s].words));
    return state === undefined || names.has(`${endpoint} | ${environment}`) ? [] : [{ row, state }];
  });
}

function renderNames({ endpoint, environment }: Rollout): readonly string[] {
  return [endpoint, environment].map((name) => renderSpan(name, NAME_CHARACTERS));
}

function renderTable(rollouts: readonly Rollout[], causeCharacters: number): string {
  const rows = rollouts.map((r) => renderRow(r, causeCharacters));
  return ['|  | endpoint | environment | state |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function renderRow(rollout: Rollout, characters: number): string {
  const { state, causes, url, runUrl } = rollout;
  const { sign, words } = STATE_WORDS[state];
  const consequence = describeConsequence(rollout);
  const shown = characters === 0 ? [] : causes.slice(0, MAX_CAUSES).map((c) => `<br>${renderSpan(c, characters)}`);
  const more = causes.length > MAX_CAUSES && characters > 0 ? `<br>and ${causes.length - MAX_CAUSES} more` : '';
  const at = url !== undefined && state === 'live' ? ` at ${renderSpan(url, 300)}` : '';
  const run = runUrl !== undefined && isWebAddress(runUrl) ? ` (${renderLink('run', runUrl)})` : '';
  return `| ${[sign, ...renderNames(rollout), `${[words, ...consequence].join(', ')}${at}${run}${shown.join('')}${more}`].join(' | ')} |`;
}

/** What the state means for the endpoint. */
function describeConsequence({ state, isRemoval }: Rollout): readonly string[] {
  if ((state === 'failed' || state === 'cancelled') && isRemoval === true) return ['the removal may be incomplete'];
  const { consequence } = STATE_WORDS[state];
  return consequence === undefined ? [] : [consequence];
}

function fitRollouts(rollouts: readonly Rollout[], limit: number): readonly Rollout[] {
  let length = renderTable([], 0).length;
  const end = rollouts.findIndex((r) => (length += renderRow(r, 0).length + 1) > limit);
  return end < 0 ? rollouts : rollouts.slice(0, end);
}

function compareRollouts(a: Rollout, b: Rollout): number {
  return a.environment === b.environment ? (a.endpoint < b.endpoint ? -1 : 1) : a.environment < b.environment ? -1 : 1;
}
