import type { EndpointReport, Report } from '../schemas/report/report.ts';
import { renderLink, renderSpan } from './render-code.ts';
import {
  listBrokenStages,
  DESTROY_LABEL,
  isRestricted,
  needsLock,
  renderStage,
  determineReviewState,
} from './review-state.ts';

const SHOWN_NAMES = 10;
const SHORT_CHARACTERS = 12;
const NAME_CHARACTERS = 63;
const WHY_CHARACTERS = 400;
const COMMAND_CHARACTERS = 200;

/** What a reviewer must know or do first: one paragraph each, most pressing first, of bounded length. */
export function renderCallouts(report: Report): readonly string[] {
  return [
    ...renderFork(report),
    ...renderDependabot(report),
    ...renderUnlisted(report),
    ...renderBrokenStages(report),
    ...renderLocks(report),
    ...renderRemovals(report),
    ...renderStale(report),
    ...renderEnvironments(report),
  ];
}

/** A stage that was skipped because of an earlier broken stage adds nothing new. */
function renderBrokenStages(report: Report): readonly string[] {
  const broken = listBrokenStages(report);
  const shown = broken.filter((stage, i) => i === 0 || stage.result !== 'skipped');
  const log = renderLink('the log of the run', report.pull_request?.run_url ?? null);
  return shown.map((stage) => {
    const why = stage.why === null ? '' : `: ${renderSpan(stage.why, WHY_CHARACTERS)}`;
    return `❌ **${renderStage(stage)}**${why}. Its results are missing: see ${log}, or start a new run.`;
  });
}

function renderLocks(report: Report): readonly string[] {
  const { endpoints, pull_request: pull } = report;
  const missing = endpoints.filter(needsLock);
  const committed = endpoints.filter((e) => e.lock === 'committed');
  const committedNote =
    committed.length === 0 || !pull?.locks_commit ? [] : [renderCommitted(committed, pull.locks_commit, pull)];
  if (missing.length === 0) return committedNote;
  const names = missing.map((e) => e.endpoint);
  // A name with other characters must never be in a command that users copy into a shell.
  const safe = names.length <= SHOWN_NAMES && names.every((name) => /^[\w-]+$/.test(name));
  const command = renderSpan(`npx davit lock${safe ? ` ${names.join(' ')}` : ''}`, 1000);
  const one = missing.length === 1;
  const what = `The ${one ? 'lock' : 'locks'} of ${renderNames(missing)} ${one ? 'is' : 'are'} missing or out of date`;
  return [
    ...committedNote,
    `🔒 **${what}**, and computed for this review only. Run ${command}, then commit and push the changes in \`endpoints/\`.`,
  ];
}

function renderCommitted(
  committed: readonly EndpointReport[],
  commit: string,
  { locks_start_checks: startsChecks }: NonNullable<Report['pull_request']>,
): string {
  const [noun, verb] = committed.length === 1 ? ['lock', 'was'] : ['locks', 'were'];
  return `🔒 The ${noun} of ${renderNames(committed)} ${verb} computed and committed to this branch as ${renderSpan(commit.slice(0, SHORT_CHARACTERS))}; pull before you push again.${startsChecks === true ? '' : ` ${WAITING_CHECKS}`}`;
}

/** GitHub starts no workflow by itself for what its own token does, so that no workflow starts itself again and again. */
const WAITING_CHECKS =
  'Other required checks wait at that commit, because GitHub does not start workflows for it by itself: choose **Approve workflows to run** below, or close and reopen the pull request.';

function renderRemovals(report: Report): readonly string[] {
  const removed = report.endpoints.filter((e) => determineReviewState(e, report) === 'label');
  if (removed.length === 0) return [];
  const label = renderSpan(DESTROY_LABEL);
  return [
    `❌ **Merging this pull request permanently removes ${renderNames(removed)}.** If that is intended, add the label ${label} to the pull request; otherwise restore the file.`,
  ];
}

function renderStale({ base, pull_request: pull }: Report): readonly string[] {
  if (pull?.outdated === true)
    return [
      '🕓 **Out of date**: this run began before the base branch got another release of Davit or other files. Update the branch to review it again.',
    ];
  if (base === null || !pull?.base_moved_to) return [];
  const [was, is] = [base, pull.base_moved_to].map((c) => renderSpan(c.slice(0, SHORT_CHARACTERS)));
  return [
    `🕓 **Out of date since ${is ?? ''}**: this was compared with ${was ?? ''}, and the base branch has moved on. Update the branch to review it again.`,
  ];
}

/** A fork's run can report anything. The same commit in a branch of this repository gets a run that can be trusted. */
function renderFork({ pull_request: pull, endpoints }: Report): readonly string[] {
  if (!pull?.fork || (endpoints.length === 0 && pull.needs_own_run !== true)) return [];
  const branch = `fork-${pull.number}`;
  const commands = renderSpan(
    `git fetch origin pull/${pull.number}/head:${branch} && git push origin ${branch}`,
    COMMAND_CHARACTERS,
  );
  return [
    `⚠️ **Reported by the fork's own run**, which can report anything: GitHub says which endpoints change, and everything else below is the fork's claim. Nothing is previewed, and the check does not succeed until a run of this repository has reviewed the same commit. A maintainer reads the changes, above all those in \`.github/\`, runs ${commands} and opens a pull request from that branch.`,
  ];
}

function renderDependabot({ pull_request: pull, endpoints }: Report): readonly string[] {
  if (!pull?.dependabot || (endpoints.length === 0 && pull.needs_own_run !== true)) return [];
  return [
    '⚠️ **Reported by a run that Dependabot started.** GitHub gives it neither secrets nor a token that can write, so nothing is previewed, and the check does not succeed. A maintainer reads the changes and pushes to the branch, for example with the button "Update branch": the run of that push reviews them.',
  ];
}

/** For a pull request that is previewed, the preview lists the changes, from Git. */
function renderUnlisted({ pull_request: pull }: Report): readonly string[] {
  if (!isRestricted(pull) || pull?.files_complete !== false) return [];
  return [
    '⚠️ **GitHub does not list all files that this pull request changes**, because there are too many: an endpoint that is missing here may change too.',
  ];
}

/**
 * The previews use the base branch's environments, and the pull request's where it changes them. They never use a change
 * of where they connect.
 */
function renderEnvironments({ program, endpoints }: Report): readonly string[] {
  if (program?.environments !== 'base') return [];
  const used = (program.changed_environments ?? []).map((name) => `environments/${name}.yaml`).sort();
  const paths = new Set(endpoints.flatMap((e) => e.because.map((b) => b.path)));
  const unused = [...paths].filter((path) => path.startsWith('environments/') && !used.includes(path)).sort();
  const shown = (files: readonly string[]) => files.slice(0, SHOWN_NAMES).map((path) => renderSpan(path)).join(', '); // prettier-ignore
  return [
    ...(used.length === 0
      ? []
      : [
          `⚠️ **${shown(used)} changes in this pull request, and with it every endpoint there**: the previews use the changed file as data, and the merge of this pull request is its review.`,
        ]),
    ...(unused.length === 0
      ? []
      : [
          `⚠️ **${shown(unused)} changes in this pull request, and the previews do not show it**: they use the base branch's file until the merge, because the change is about where previews connect (kubeconfig, Docker host) or removes the file.`,
        ]),
  ];
}

function renderNames(endpoints: readonly EndpointReport[]): string {
  const names = endpoints.slice(0, SHOWN_NAMES).map((e) => renderSpan(e.endpoint, NAME_CHARACTERS));
  const left = endpoints.length - names.length;
  const all = left > 0 ? [...names, `${left} more`] : names;
  return all.length === 1 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1) ?? ''}`;
}
