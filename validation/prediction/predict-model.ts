import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureVirtualenv } from '../../python/ensure-virtualenv.ts';
import { findUnreadable } from '../../python/find-unreadable.ts';
import { findShellPython } from '../../python/find-python.ts';
import { type Retry, retryIfDamaged } from '../proof/retry-if-damaged.ts';
import { VirtualenvError } from '../../python/virtualenv-error.ts';
import { chooseSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { type Diagnostic, hasErrors } from '../../schemas/diagnostic.ts';
import type { DiagnosticCode } from '../../schemas/diagnostic-codes.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import type { NetworkUse } from '../../schemas/lock/proof.ts';
import type { NetworkAddress } from '../../schemas/values/network-address.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import { fetchModel } from '../model/fetch-model.ts';
import { type Interpreter, listVirtualenvFolders } from '../proof/run-model-program.ts';
import { reportFailedServices } from '../network/explain-network.ts';
import { warnOpenNetwork, warnWithoutSandbox } from '../proof/warn-without-sandbox.ts';
import { makeSubjectError, type Subject } from '../subject.ts';
import { makeStandaloneSubject, prepareStandaloneModel, type StandaloneModelOptions } from '../validate-model.ts';
import { explainPrediction } from './explain-prediction.ts';
import { type PredictionInput, type ReplacedNumbers, runPrediction } from './run-prediction.ts';

export interface PredictModelOptions extends StandaloneModelOptions {
  /** Run with the Python of the user's shell, and install nothing. */
  readonly isLocal: boolean;
  readonly environmentVars: Readonly<Record<string, string>>;
  /** The services that the model may reach in the sandbox, as the user says. */
  readonly services: readonly NetworkAddress[];
}

export interface ModelPrediction {
  /** JSON. Undefined if the model or the input is wrong. */
  readonly answer: string | undefined;
  readonly python: string | undefined;
  readonly mlflow: string | undefined;
  readonly replaced: ReplacedNumbers;
  /** How it used the services that it could reach. */
  readonly network: readonly NetworkUse[];
  /** What the model and its libraries printed. */
  readonly output: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** These would be wrong in an endpoint, and say nothing about a prediction with an input that somebody brings. */
const TOLERATED: readonly DiagnosticCode[] = [
  ...(['signature-missing', 'signature-invalid', 'example-missing', 'requirement-unpinned'] as const),
  ...(['version-drift', 'conda-only-package', 'anaconda-channel'] as const),
];

/** A model with the Python that runs it. */
interface PreparedModel {
  readonly subject: Subject;
  readonly folder: string;
  readonly interpreter: Interpreter;
  readonly packages: readonly LockedPackage[];
  readonly sandbox: Sandbox | undefined;
  /** How to make the virtualenv again. Undefined: the user's Python. */
  readonly virtualenv: Pick<Retry<unknown>, 'folder' | 'repair'> | undefined;
}

interface Preparation {
  readonly prepared: PreparedModel | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Predicts one input with a model directory or URI, in a fresh process. Nothing of the answer is kept. */
export async function predictModel(
  pathOrUri: string,
  input: PredictionInput,
  options: PredictModelOptions,
): Promise<ModelPrediction> {
  const { isLocal, environmentVars, services, progress = SILENT, signal } = options;
  const { prepared, diagnostics } = await prepareModel(pathOrUri, { ...options, tolerated: TOLERATED });
  const none = { answer: undefined, python: undefined, mlflow: undefined, replaced: {}, network: [], output: '' };
  if (!prepared) return { ...none, diagnostics };
  const { subject, folder, interpreter, sandbox, packages, virtualenv } = prepared;
  if (!sandbox) warnWithoutSandbox(progress);
  if (!sandbox && services.length > 0) warnOpenNetwork(progress);
  const predict = async () => {
    const what = `Predicting with ${subject.label} (Python ${interpreter.pythonVersion})`;
    const ran = await withProgress(progress, what, () =>
      runPrediction(folder, interpreter, input, { environmentVars, services, sandbox, signal }),
    );
    return { ran, wrong: explainPrediction(subject, ran, { packages, elsewhere: [], isLocal }) };
  };
  const hasFailed = ({ wrong }: Awaited<ReturnType<typeof predict>>) => wrong.length > 0;
  const { ran, wrong } = await (virtualenv
    ? retryIfDamaged(predict, { ...virtualenv, hasFailed, progress })
    : predict());
  return {
    answer: wrong.length > 0 ? undefined : (ran.document?.answer ?? undefined),
    python: interpreter.pythonVersion,
    mlflow: ran.document?.mlflow ?? undefined,
    replaced: ran.document?.replaced ?? {},
    network: ran.run.network,
    output: ran.run.stderr,
    diagnostics: [...diagnostics, ...wrong, ...reportUnreachable(subject, ran.run.network)],
  };
}

/** The warnings of a proof, in the words of a prediction. */
function reportUnreachable(subject: Subject, network: readonly NetworkUse[]): readonly Diagnostic[] {
  const message = (text: string) => text.replace(/^The proof of /, 'The prediction with ');
  return reportFailedServices(subject, network).map((d) => ({
    ...d,
    message: message(d.message),
    hint: 'Correct the address, or start the service, and predict again',
  }));
}

async function prepareModel(pathOrUri: string, options: PredictModelOptions): Promise<Preparation> {
  const prepare = options.isLocal ? prepareLocalModel : prepareLockedModel;
  const sandbox = await chooseSandbox(options.withoutSandbox);
  if (!sandbox || !('why' in sandbox)) return prepare(pathOrUri, sandbox, options);
  const subject = makeStandaloneSubject(pathOrUri, options);
  const message = `Cannot predict with ${subject.label}: its code runs only in a sandbox, and ${sandbox.why}`;
  return refuse([makeSubjectError(subject, 'sandbox-missing', message, sandbox.hint)]);
}

async function prepareLockedModel(
  pathOrUri: string,
  sandbox: Sandbox | undefined,
  options: PredictModelOptions,
): Promise<Preparation> {
  const { subject, folder, lock, virtualenv, diagnostics: all } = await prepareStandaloneModel(pathOrUri, options);
  const diagnostics = all.filter((d) => d.code !== 'example-missing');
  if (folder === undefined || !lock || !virtualenv || hasErrors(diagnostics)) return refuse(diagnostics);
  try {
    const repair = () => ensureVirtualenv(virtualenv, { ...options, sandbox });
    const interpreter = await repair();
    const { packages } = virtualenv;
    return {
      prepared: { subject, folder, interpreter, packages, sandbox, virtualenv: { ...interpreter, repair } },
      diagnostics,
    };
  } catch (e) {
    if (!(e instanceof VirtualenvError)) throw e;
    return refuse([...diagnostics, makeSubjectError(subject, e.kind, e.message, e.hint)]);
  }
}

async function prepareLocalModel(
  pathOrUri: string,
  sandbox: Sandbox | undefined,
  options: PredictModelOptions,
): Promise<Preparation> {
  const subject = makeStandaloneSubject(pathOrUri, options);
  const { folder, diagnostics } = await fetchModel(subject, { ...options, root: options.cwd });
  if (folder === undefined) return refuse(diagnostics);
  const python = await findShellPython();
  if (python) {
    const interpreter = { python: python.executable, pythonVersion: python.version };
    const hidden = sandbox ? await refuseUnreadable(subject, python.executable) : undefined;
    if (hidden) return refuse([...diagnostics, hidden]);
    return { prepared: { subject, folder, interpreter, packages: [], sandbox, virtualenv: undefined }, diagnostics };
  }
  const message = `Cannot predict with ${subject.label}: this shell has no Python, neither of VIRTUAL_ENV nor on the PATH`;
  const hint = 'Activate a virtualenv, or leave out --env-manager local';
  return refuse([...diagnostics, makeSubjectError(subject, 'python-unavailable', message, hint)]);
}

/** Root's sandbox runs the model as another user. Davit makes its own virtualenvs readable, but not those of the user. */
async function refuseUnreadable(subject: Subject, python: string): Promise<Diagnostic | undefined> {
  const folder = dirname(dirname(python));
  if (process.getuid?.() !== 0 || !existsSync(join(folder, 'pyvenv.cfg'))) return undefined;
  const unreadable = (await Promise.all(listVirtualenvFolders(folder).map(findUnreadable))).find((path) => path);
  if (unreadable === undefined) return undefined;
  const message = `Cannot predict with ${subject.label}: the sandbox runs it as another user than root, who cannot read ${unreadable}`;
  const hint = `Run chmod -R go+rX ${folder}, or add --without-sandbox`;
  return makeSubjectError(subject, 'python-unavailable', message, hint);
}

function refuse(diagnostics: readonly Diagnostic[]): Preparation {
  return { prepared: undefined, diagnostics };
}
