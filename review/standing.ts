import type { EndpointReport, Report } from '../schemas/report.ts';

/** What a reviewer has to know of an endpoint, most important first. */
const STANDINGS = {
  fails: ['fails', 'fail'],
  unknown: ['not reviewed', 'not reviewed'],
  delete: ['removed', 'removed'],
  recreate: ['recreated with downtime', 'recreated with downtime'],
  'rolling-update': ['rolling', 'rolling'],
  'update-in-place': ['in place', 'in place'],
  create: ['new', 'new'],
  'no-change': ['no change', 'no change'],
} as const;

export type Standing = keyof typeof STANDINGS;

const ORDER = Object.keys(STANDINGS) as readonly Standing[];

/** The most important thing about an endpoint, over all environments. */
export function standingOf({ diagnostics, outage, previews }: EndpointReport): Standing {
  if (diagnostics.some((d) => d.severity === 'error')) return 'fails';
  if (outage !== null || previews.length === 0 || previews.some((p) => p.plan === null)) return 'unknown';
  const kinds = previews.flatMap((p) => p.plan?.verdict.kind ?? []);
  return ORDER.find((s) => kinds.some((k) => k === s)) ?? 'no-change';
}

/** Endpoints, most important first, then by name. */
export function sortEndpoints(endpoints: readonly EndpointReport[]): readonly EndpointReport[] {
  const rank = (e: EndpointReport) => ORDER.indexOf(standingOf(e));
  return [...endpoints].sort((a, b) => rank(a) - rank(b) || (a.endpoint < b.endpoint ? -1 : 1));
}

/** `3 endpoints: 1 fails, 1 rolling, 1 no change` */
export function renderTopLine({ endpoints, diagnostics }: Pick<Report, 'endpoints' | 'diagnostics'>): string {
  const wrong = diagnostics.filter((d) => d.severity === 'error').length;
  const others = wrong === 0 ? '' : `; ${wrong} ${wrong === 1 ? 'error' : 'errors'} in other files`;
  if (endpoints.length === 0) return `No endpoint changes${others}`;
  const counted = renderStandings(endpoints);
  return `${endpoints.length} ${endpoints.length === 1 ? 'endpoint' : 'endpoints'}: ${counted}${others}`;
}

/** `1 fails, 2 rolling` */
export function renderStandings(endpoints: readonly EndpointReport[]): string {
  const standings = endpoints.map(standingOf);
  const parts = ORDER.map((s) => ({ words: STANDINGS[s], count: standings.filter((other) => other === s).length }));
  return parts
    .filter((p) => p.count > 0)
    .map((p) => `${p.count} ${p.words[p.count === 1 ? 0 : 1]}`)
    .join(', ');
}

/** `rolling`; for one endpoint. */
export function standingWords(standing: Standing): string {
  return STANDINGS[standing][0];
}
