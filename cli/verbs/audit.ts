import { resolve } from 'node:path';
import { auditEndpoints } from '../../app/audit-endpoints.ts';
import { selectEndpoints } from '../../app/select-endpoints.ts';
import { type Command, type Context, ENDPOINTS_OPTION, type Outcome } from '../command.ts';
import { textOption } from '../parse-arguments.ts';
import { makeRequest } from '../request.ts';

export const audit: Command = {
  summary: 'Compare the locked packages with known vulnerabilities',
  usage: '[NAME…]',
  help: 'Downloads the advisories of osv.dev into the cache, where validate finds them too, and asks the package index which locked versions were withdrawn. Without internet, uses those of the last download.\n\n  davit audit iris\n  davit audit --database all.zip     an export of OSV, PyPI/all.zip\n\nDAVIT_ADVISORIES=high makes vulnerabilities of high and critical severity errors.',
  options: {
    ...ENDPOINTS_OPTION,
    database: { type: 'string', value: 'FILE', help: 'Read the advisories from this file instead of osv.dev' },
  },
  args: { min: 0, max: Infinity },
  readsPolicy: true,
  run: runAudit,
};

async function runAudit(context: Context): Promise<Outcome> {
  const request = makeRequest(context);
  const { endpoints, diagnostics } = await selectEndpoints(request.place, context.args);
  const given = textOption(context.options, 'database');
  const database = given === undefined ? undefined : resolve(context.cwd, given);
  const { entities, diagnostics: found, stale, isMissing } = await auditEndpoints(endpoints, { ...request, database });
  const lines = entities.map(({ endpoint, entity, summary }) => `${endpoint}/${entity}: ${summary}`);
  return {
    diagnostics: [...diagnostics, ...found],
    result: { entities, stale: stale ?? null },
    text: [...lines, ...(stale === undefined ? [] : [renderOutage(stale, isMissing)])].join('\n'),
    outage: isMissing,
  };
}

function renderOutage(stale: string, isMissing: boolean): string {
  return isMissing ? stale : `${stale}. Using the advisories of the last refresh`;
}
