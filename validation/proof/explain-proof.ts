import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { DiagnosticCode } from '../../schemas/diagnostic-codes.ts';
import { explainCause, renderExampleHint } from './explain-cause.ts';
import { explainModule, type ModuleContext } from '../requirements/explain-module.ts';
import { explainNetwork } from '../network/explain-network.ts';
import { findMissingLibrary, renderLibraryHint } from './missing-library.ts';
import { HIDDEN_PREDICTION } from '../policy.ts';
import type { ProofDocument } from './proof-document.ts';
import { type ProofLimits, type ProofRun, computeProofSeconds } from './run-proof.ts';
import { describeCase } from '../../schemas/lock/proof.ts';
import { joinHints, type Subject, makeSubjectError } from '../subject.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

export interface ProofContext extends Pick<ModuleContext, 'packages' | 'elsewhere'> {
  readonly limits: ProofLimits;
  /** Whether the policy forbids texts of a prediction: inputs, answers, and what the model raises. */
  readonly hidesPredictions?: boolean | undefined;
}

/** Explains the failures of a proof to the author of the endpoint. Returns nothing for a successful proof. */
export function explainProof(subject: Subject, ran: ProofRun, context: ProofContext): readonly Diagnostic[] {
  const { limits } = context;
  const wrong = (code: DiagnosticCode, message: string, hint?: string) =>
    makeSubjectError(subject, code, message, hint);
  const { document } = ran;
  if (!document) return [explainCrash(subject, ran, context)];
  const { failed } = document;
  if (failed) {
    const asked = document.cases.findLast((c) => typeof c.why === 'string');
    const network =
      ran.sandbox &&
      explainNetwork(subject, {
        asked: context.hidesPredictions === true ? [] : (document.network ?? []), // the model wrote it
        network: ran.run.network,
      });
    return [explainShown(locateCase(subject, asked), { ...failed, asked, network }, context)];
  }
  const found: Diagnostic[] = [];
  const predicted = Math.max(0, ...document.cases.map((c) => c.seconds));
  if (predicted > limits.predictSeconds)
    found.push(
      wrong(
        'time-limit',
        `Cannot serve ${subject.label}: its prediction took ${predicted.toFixed(1)} s, expected at most ${limits.predictSeconds} s`,
        renderTimeHint(subject),
      ),
    );
  for (const { category, message } of document.warnings)
    if (category === 'InconsistentVersionWarning')
      found.push(wrong('version-drift', `Cannot serve ${subject.label}: ${firstSentence(message)}`));
  return found;
}

type PredictedCase = Pick<ProofDocument['cases'][number], 'origin' | 'name'>;

type Failed = NonNullable<ProofDocument['failed']> & {
  readonly asked: PredictedCase | undefined;
  readonly network: string | undefined;
};

/** A failure of a validation case is reported on the line of its input. */
function locateCase(subject: Subject, found: PredictedCase | undefined): Subject {
  const place = found?.origin === 'endpoint' && subject.entity.validation.find((c) => c.name === found.name)?.place;
  return place ? { ...subject, entity: { ...subject.entity, place } } : subject;
}

/** The hint depends on the message and does not quote it. */
function explainShown(subject: Subject, failed: Failed, context: ProofContext): Diagnostic {
  const explained = explainFailure(subject, failed, context);
  if (context.hidesPredictions !== true || !QUOTING_CODES.includes(explained.code)) return explained;
  const message = `${failed.kind} (${HIDDEN_PREDICTION})`;
  return { ...explained, message: explainFailure(subject, { ...failed, message }, context).message };
}

/** The codes whose messages may quote an input or an answer. */
const QUOTING_CODES: readonly DiagnosticCode[] = ['prediction-failed', 'output-mismatch'];

function explainFailure(subject: Subject, failed: Failed, { limits, packages, elsewhere }: ProofContext): Diagnostic {
  const { stage, kind, message, module, trace, asked, network } = failed;
  const input = asked ? describeCase(asked) : 'its input example';
  const { label } = subject;
  const cause = explainCause({ kind, message, trace, needsNetwork: failed.needs_network === true, network });
  const frame = findModelFrame(trace);
  const where = joinHints(cause, frame);
  const wrong = (code: DiagnosticCode, text: string, hint?: string) => makeSubjectError(subject, code, text, hint);
  if (kind === 'MemoryError') return makeMemoryError(subject, limits);
  if (module) return explainModule(subject, module, { packages, elsewhere, where });
  const library = findMissingLibrary(message);
  if (library !== undefined)
    return wrong(
      'import-failed',
      `Cannot import what ${label} needs: the library ${library} is not installed on this machine`,
      renderLibraryHint(library),
    );
  if (stage === 'import' || kind === 'ImportError')
    return wrong('import-failed', `Cannot import what ${label} needs: ${message}`, where);
  if (stage === 'load') return wrong('load-failed', `Cannot load ${label}: ${message}`, where);
  if (stage === 'workers') return wrong('load-failed', `Cannot serve ${label}: ${message}`, renderWorkersHint(subject));
  if (kind === 'InvalidOutput')
    return wrong(
      'output-mismatch',
      `Cannot serve ${label}: ${message.replace(/^The model's/, 'its')}`,
      joinHints(JSON_VALUES_HINT, NO_NUMBER.test(message) ? renderNanHint(subject) : undefined),
    );
  if (kind === 'Refused')
    return wrong(
      'prediction-failed',
      `Cannot predict with ${label}: the server rejects ${input}: ${message}`,
      asked?.origin === 'endpoint' ? CASE_HINT : EXAMPLE_HINT,
    );
  if (kind === 'UnexpectedAnswer')
    return wrong('output-mismatch', `Cannot serve ${label}: its answer to ${input} differs: ${message}`, EXPECT_HINT);
  if (stage === 'signature' || kind === 'SignatureMismatch')
    return wrong(
      'output-mismatch',
      `Cannot serve ${label}: its prediction does not match its signature: ${message}`,
      'Log the model with a signature that matches its predictions, or change its predictions',
    );
  const repair = asked?.origin === 'endpoint' ? undefined : renderExampleHint(subject, message);
  return wrong(
    'prediction-failed',
    `Cannot predict with ${label}: ${input} raises ${message}`,
    joinHints(cause ?? repair, frame),
  );
}

const NO_NUMBER = / is (?:NaN|-?Infinity)$|NaN or an infinity$/;
const JSON_VALUES_HINT =
  'Return values that JSON can represent: null instead of a missing number, lists, maps and strings';

function renderNanHint({ alone, entity, endpoint }: Subject): string {
  return alone
    ? 'davit serve --nan null returns null instead'
    : `davit.served_entities.${entity.name}.nan: null in ${endpoint.file} returns null instead`;
}

/** Names the option to change. The model server's message names the value. */
function renderWorkersHint({ alone, entity, endpoint }: Subject): string {
  return alone
    ? 'Set it with davit serve --worker-mode'
    : `Set it with davit.served_entities.${entity.name}.workers in ${endpoint.file}`;
}

const CASE_HINT = 'Correct the input: it is the body of a request that the model accepts';
const EXPECT_HINT = 'Correct the value of expect, if the answer is right';
const EXAMPLE_HINT = 'Log the model with an input_example that fits its signature';

/** Explains a proof that ended without a document. Only the signal, exit code and stderr are known. */
function explainCrash(subject: Subject, { run, began }: ProofRun, context: ProofContext): Diagnostic {
  const { limits, hidesPredictions = false } = context;
  const { label } = subject;
  const code = readOwn(CODES_BY_STAGE, began ?? '') ?? 'load-failed';
  const wrong = (code: DiagnosticCode, text: string, hint?: string) => makeSubjectError(subject, code, text, hint);
  const seconds = computeProofSeconds(limits);
  const predicted = limits.predictions > 1 ? ` its ${limits.predictions} validation cases` : '';
  if (run.stopped === 'time')
    return wrong(
      'time-limit',
      `Cannot serve ${label}: it did not load and predict${predicted} within ${seconds} s`,
      renderTimeHint(subject),
    );
  if (run.stopped === 'memory') return makeMemoryError(subject, limits);
  if (run.stopped === 'processes')
    return wrong('prediction-failed', `Cannot prove ${label}: it has too many processes and threads`, PROCESSES_HINT);
  if (run.stopped === 'output')
    return wrong('prediction-failed', `Cannot prove ${label}: its output exceeds the limit`, 'Remove its debug output');
  if (/MemoryError|Cannot allocate memory|bad_alloc/.test(run.stderr)) return makeMemoryError(subject, limits);
  const signal = run.signal ?? findSignal(run.code);
  const frame = /File "([^"]*)", line (\d+) in (\w+)/.exec(run.stderr);
  const where = frame
    ? `In ${frame[1]?.split('/').slice(-2).join('/') ?? ''}:${frame[2] ?? ''} (${frame[3] ?? ''})`
    : undefined;
  if (signal === 'SIGKILL')
    return wrong(
      'memory-limit',
      `Cannot prove ${label}: the system killed it, most likely because it used too much memory`,
    );
  if (signal !== undefined)
    return wrong(code, `Cannot prove ${label}: it crashed with ${signal} in compiled code`, where);
  if (run.code === 0) return wrong(code, `Cannot prove ${label}: it ended its own process`, EXIT_HINT);
  const last = hidesPredictions ? '' : (run.stderr.trim().split('\n').at(-1)?.trim() ?? '');
  return wrong(
    code,
    `Cannot prove ${label}: Python ended with exit code ${run.code}${last ? `: ${last.slice(0, 300)}` : ''}`,
  );
}

/** The diagnostic code for a process that ended in a stage. */
const CODES_BY_STAGE: Readonly<Partial<Record<string, DiagnosticCode>>> = {
  import: 'import-failed',
  predict: 'prediction-failed',
  signature: 'prediction-failed',
};

const PROCESSES_HINT = 'Start fewer of them';
const EXIT_HINT = 'Remove the call of os._exit, because it would end the server';

function makeMemoryError(subject: Subject, { memoryBytes }: ProofLimits): Diagnostic {
  const limit = memoryBytes === undefined ? 'this machine has' : `its ${memoryBytes / 2 ** 30} GiB`;
  const hint = subject.alone ? undefined : 'Choose a larger workload_type, such as CPU_MEDIUM or CPU_LARGE';
  return makeSubjectError(
    subject,
    'memory-limit',
    `Cannot serve ${subject.label}: it needs more memory than ${limit}`,
    hint,
  );
}

const SIGNALS: Readonly<Record<number, string>> = {
  132: 'SIGILL',
  134: 'SIGABRT',
  135: 'SIGBUS',
  136: 'SIGFPE',
  137: 'SIGKILL',
  139: 'SIGSEGV',
};

/** Shells and bubblewrap exit with 128 plus the number of the signal. */
function findSignal(code: number): string | undefined {
  return SIGNALS[code];
}

function renderTimeHint({ alone, entity, endpoint }: Subject): string | undefined {
  return alone
    ? undefined
    : `Raise davit.served_entities.${entity.name}.time_limit_seconds in ${endpoint.file}, or make the model faster`;
}

/** Finds the model's own frame in a trace: `helperpkg/feat.py:3 in predict: return area(x)`. */
function findModelFrame(trace: string | null | undefined): string | undefined {
  const lines = (trace ?? '').split('\n').filter((l) => l.trim() !== '');
  const own = lines.findLastIndex((l) => l.startsWith(' ')) - 1;
  const at = own >= 0 ? own : lines.findLastIndex((l) => !/^(?: |<frozen )/.test(l));
  if (at < 0) return undefined;
  const code = lines[at + 1]?.startsWith(' ') ? lines[at + 1]?.trim() : undefined;
  return code === undefined ? `At ${lines[at] ?? ''}` : `At ${lines[at] ?? ''}: ${code}`;
}

function firstSentence(text: string): string {
  return text.replace(/\s+/g, ' ').split('. ')[0] ?? text;
}
