import { resolve } from 'node:path';
import { type ReviewRequest, reviewProject } from '../../app/review/review-project.ts';
import { NoBaseError } from '../../review/changed-paths.ts';
import { renderReport } from '../../review/render-report.ts';
import { concludeReview, renderSummaryLine } from '../../review/review-state.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { REVIEW_STAGES, type ReviewStage } from '../../schemas/report/report.ts';
import {
  type Command,
  type Context,
  ENVIRONMENT_OPTION,
  type Outcome,
  SANDBOX_OPTION,
  UsageError,
} from '../command.ts';
import { textOption } from '../parse-arguments.ts';
import { readSandboxOption } from '../request.ts';

export const review: Command = {
  summary: 'Check, validate and preview what changed: the report that a pull request gets',
  usage: '[NAME…]',
  help: 'Without names: every endpoint whose file, lock, model or environment differs from the main branch, committed or not.\nA lock that is missing or stale is computed for the review, which continues with it; davit lock writes it.\n\n  davit review --base origin/main\n  davit review iris --markdown report.md\n  davit review --stage validate --out proven\n  davit review --stage preview --from ../pull-request --with proven --out previewed',
  options: {
    base: { type: 'string', value: 'REF', help: 'Compare with where this branch left REF; default: the main branch' },
    environment: {
      ...ENVIRONMENT_OPTION['environment'],
      type: 'string',
      multiple: true,
      help: 'Preview for this environment; may be given several times; default: local',
    },
    markdown: { type: 'string', value: 'FILE', help: 'Write the report there and print its first line only' },
    stage: {
      type: 'string',
      value: REVIEW_STAGES.join('|'),
      help: 'Only this half: validate runs the models, preview runs the engine; default: both',
    },
    from: {
      type: 'string',
      value: 'FOLDER',
      help: "Read endpoint files, locks and models from another checkout, as data; environments and program stay this project's",
    },
    with: {
      type: 'string',
      value: 'FOLDER',
      help: 'With --stage preview: the folder that --stage validate --out wrote',
    },
    ...SANDBOX_OPTION,
    out: { type: 'string', value: 'FOLDER', help: 'Write report.json there, computed locks and bills of materials' },
  },
  args: { min: 0, max: Infinity },
  fillsCache: true,
  readsPolicy: true,
  run: runReview,
};

async function runReview(context: Context): Promise<Outcome> {
  const report = await reviewProject(makeReviewRequest(context)).catch((e: unknown) => {
    throw e instanceof NoBaseError ? new UsageError(e.message, { cause: e }) : e;
  });
  const markdown = textOption(context.options, 'markdown');
  const rendered = renderReport(report);
  if (markdown !== undefined) await writeFileAtomically(resolve(context.cwd, markdown), rendered);
  return {
    diagnostics: [...report.diagnostics, ...report.endpoints.flatMap((e) => e.diagnostics)],
    result: report,
    text: markdown === undefined ? rendered : renderSummaryLine(report),
    failed: concludeReview(report) === 'failure',
    outage: report.endpoints.some((e) => e.outage !== null || e.previews.some((p) => p.outage !== null)),
  };
}

function makeReviewRequest({ root, cwd, args, options, progress, signal }: Context): ReviewRequest {
  const path = (name: string) => {
    const given = textOption(options, name);
    return given === undefined ? undefined : resolve(cwd, given);
  };
  const { environment } = options;
  const stage = readStage(textOption(options, 'stage'));
  if (stage !== 'preview' && options['with'] !== undefined)
    throw new UsageError('Cannot use --with alone: expected --stage preview beside it');
  return {
    root,
    from: path('from'),
    names: args,
    base: textOption(options, 'base'),
    environments: Array.isArray(environment) ? [...new Set(environment as readonly string[])] : ['local'],
    stage,
    with: path('with'),
    out: path('out'),
    withoutSandbox: readSandboxOption(options),
    progress,
    signal,
  };
}

function readStage(given: string | undefined): ReviewStage | undefined {
  const stage = REVIEW_STAGES.find((s) => s === given);
  if (given !== undefined && stage === undefined)
    throw new UsageError(`Cannot run the stage "${given}": expected ${REVIEW_STAGES.join(' or ')}`);
  return stage;
}
