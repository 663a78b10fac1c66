import type { Report } from '../schemas/report/report.ts';
import { shortenFingerprint } from './fingerprint.ts';
import { renderLink, renderSpan } from './render-code.ts';

const SHOWN_FINGERPRINTS = 4;
const SHOWN_ENVIRONMENTS = 8;
const SHORT_CHARACTERS = 12;
const NAME_CHARACTERS = 63;

/** The compared commits, the program, and the fingerprints that the merge must match. One line of bounded length. */
export function renderFooter(report: Report): string {
  const { pull_request: pull } = report;
  const run = pull?.run_url ? [renderLink('this run', pull.run_url)] : [];
  const parts = [renderCompared(report), ...renderProgram(report), ...renderFingerprints(report), ...run];
  return `<sub>${parts.join(' · ')}</sub>`;
}

function renderCompared({ base, head }: Report): string {
  if (base === null) return 'Only the named endpoints';
  return head === null
    ? `Compared with ${renderCommit(base)}`
    : `Base ${renderCommit(base)}, head ${renderCommit(head)}`;
}

function renderProgram({ program }: Report): readonly string[] {
  if (program === null) return [];
  const davit = [
    ...(program.version === undefined ? [] : [renderSpan(program.version, NAME_CHARACTERS)]),
    ...(program.commit === null ? [] : [renderCommit(program.commit)]),
  ];
  const release = davit.length === 0 ? '' : ` of Davit ${davit.join(' ')}`;
  const whose =
    program.environments === 'base' ? "the base branch's environments" : 'the environments of this checkout';
  const names = (program.changed_environments ?? []).map((name) => renderSpan(name, NAME_CHARACTERS));
  const except =
    names.length === 0 || names.length > SHOWN_ENVIRONMENTS ? '' : `, except the pull request's ${names.join(', ')}`;
  return [`previewed with program ${renderCommit(program.digest)}${release} and ${whose}${except}`];
}

function renderFingerprints({ endpoints }: Report): readonly string[] {
  const planned = endpoints.map(({ endpoint, previews }) => ({
    endpoint,
    plans: previews.flatMap((p) => (p.fingerprint ? [{ ...p, fingerprint: p.fingerprint }] : [])),
  }));
  const count = planned.reduce((sum, { plans }) => sum + plans.length, 0);
  if (count === 0) return [];
  if (count > SHOWN_FINGERPRINTS) return [`${count} plans, each with its fingerprint above`];
  return planned.flatMap(({ endpoint, plans }) => {
    const where = plans.map(
      (p) => `${renderSpan(p.environment, NAME_CHARACTERS)} ${renderSpan(shortenFingerprint(p.fingerprint))}`,
    );
    return where.length === 0 ? [] : [`plan of ${renderSpan(endpoint, NAME_CHARACTERS)} in ${where.join(', ')}`];
  });
}

function renderCommit(commit: string): string {
  return renderSpan(commit.slice(0, SHORT_CHARACTERS));
}
