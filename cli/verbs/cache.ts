import { listCacheEntries } from '../../app/cache/cache-entries.ts';
import { ALL_CACHE_KINDS, CACHE_KINDS, SharedCacheFolderError } from '../../app/cache/cache-kinds.ts';
import { pruneByAge, type PrunedEntries, readCacheLimit } from '../../app/cache/prune-cache.ts';
import { type KindSummary, sumBytes, summarizeKinds } from '../../app/cache/summarize-kinds.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';
import { renderBytes } from '../../schemas/values/quantity.ts';
import { cacheFolder } from '../../system/cache.ts';
import { type Command, type Context, type Outcome, UsageError } from '../command.ts';
import { wholeNumber } from '../parse-arguments.ts';

const DEFAULT_DAYS = 30;
const MAX_DAYS = 36_500;

export const cache: Command = {
  summary: 'Show what Davit keeps on this machine, and remove what was not used for a while',
  usage: '',
  help: `Everything in it is made again when it is needed. Davit removes the least recently used virtualenvs, models and\nresults by itself when they exceed DAVIT_CACHE_LIMIT (10Gi). DAVIT_CACHE is the folder.\n\n  davit cache\n  davit cache --prune --older-than 7`,
  options: {
    prune: {
      type: 'boolean',
      help: `Remove what was not used for ${DEFAULT_DAYS} days; never what a running process uses`,
    },
    'older-than': {
      type: 'string',
      value: 'DAYS',
      help: 'With --prune: another number of days; 0: everything that was not used in the last hour',
    },
  },
  args: { min: 0, max: 0 },
  run: runCache,
};

async function runCache({ options, progress }: Context): Promise<Outcome> {
  const days = wholeNumber(options, 'older-than', { min: 0, max: MAX_DAYS });
  const prune = options['prune'] === true;
  if (days !== undefined && !prune) throw new UsageError('Cannot use --older-than alone: expected --prune with it');
  const limit = readCacheLimit();
  progress.say(`Measuring ${cacheFolder()} …`);
  const { removed, failed } = prune ? await pruneEntries(days ?? DEFAULT_DAYS) : { removed: [], failed: [] };
  const { entries } = await listCacheEntries(ALL_CACHE_KINDS);
  const kinds = summarizeKinds(entries);
  const bytes = sumBytes(entries);
  return {
    diagnostics: [],
    result: {
      folder: cacheFolder(),
      bytes,
      limit,
      kinds,
      removed: removed.map(({ path, bytes }) => ({ path, bytes })),
      failed,
    },
    failed: failed.length > 0,
    text: [
      ...(prune
        ? [`${removed.length} ${removed.length === 1 ? 'entry' : 'entries'} removed: ${renderBytes(sumBytes(removed))}`]
        : []),
      ...failed.map(({ path, why }) => `Cannot remove ${path}: ${why}`),
      ...kinds.map(renderKind),
      `${renderBytes(bytes)} in ${cacheFolder()}; virtualenvs, models and results stay below ${renderBytes(limit)} by themselves`,
    ].join('\n'),
  };
}

async function pruneEntries(days: number): Promise<PrunedEntries> {
  try {
    return await pruneByAge(days);
  } catch (e) {
    throw e instanceof SharedCacheFolderError ? new UsageError(e.message) : e;
  }
}

function renderKind({ kind, entries, bytes, oldestDays }: KindSummary): string {
  const age = oldestDays === 0 ? 'used today' : `oldest use ${pluralize(oldestDays, 'day')} ago`;
  return `${renderBytes(bytes).padStart(9)}  ${kind.padEnd(11)}  ${String(entries).padStart(5)}  ${CACHE_KINDS[kind].holds} (${age})`;
}
