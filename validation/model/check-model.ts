import { isForServers } from '../../python/evaluate-marker.ts';
import { type Diagnostic, hasErrors, sortDiagnostics } from '../../schemas/diagnostic.ts';
import { choosePython, isPythonEdit } from './choose-python.ts';
import { checkMinimumVersions } from './check-minimum-versions.ts';
import { checkVersionDrift, checkPythonDrift } from './check-version-drift.ts';
import { checkRequirements } from '../requirements/check-requirements.ts';
import { checkSignaturePart } from './check-signature.ts';
import { editRequirements } from '../requirements/edit-requirements.ts';
import { applyPolicy, type ResolvedPolicy } from '../policy.ts';
import { readCases } from '../read-cases.ts';
import type { LockedCase } from '../../schemas/lock/locked-case.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import type { Requirement } from '../requirements/parse-requirements.ts';
import { type Model, readModel } from './read-model.ts';
import { joinHints, type ModelProblem, locateProblem, type Subject } from '../subject.ts';

/** A model that passed enough static checks to resolve its requirements. */
export interface CheckedModel {
  readonly model: Model;
  /** After the endpoint's edits, sorted. */
  readonly requirements: readonly Requirement[];
  readonly pythonVersion: string;
  /** The validation cases of the endpoint file, with the texts of their files. */
  readonly cases: readonly LockedCase[];
}

export interface CheckModelOptions {
  /** The project folder. */
  readonly root: string;
  readonly policy: ResolvedPolicy;
  /** The packages of the entity's lock, for the version that an unpinned requirement gets. */
  readonly packages?: readonly LockedPackage[] | undefined;
}

export interface ModelCheck {
  /** Set also with errors that do not concern requirements or versions, because resolution can report more problems. */
  readonly checked: CheckedModel | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** The static stage: reads the model's files without running any of its code, and reports all problems together. */
export async function checkModel(
  subject: Subject,
  folder: string,
  { root, policy, packages }: CheckModelOptions,
): Promise<ModelCheck> {
  const read = await readModel(folder);
  if (!read.model) return { checked: undefined, diagnostics: read.problems.map((p) => locateProblem(subject, p)) };
  const { model, isChosen, problems } = await choosePython(subject, read.model);
  const edited = editRequirements(subject, model);
  const { cases, diagnostics: wrongCases } = await readCases(subject, root);
  // Requirements of other systems are not resolved. A line that cannot be read may mean anything.
  const own = edited.requirements.filter((r) => r.fault !== undefined || isForServers(r, model.pythonVersion));
  const pins = own.flatMap((r) => (r.pin === undefined ? [] : [[r.name, r.pin] as const]));
  const all = [
    ...read.problems,
    ...problems,
    ...checkFlavor(subject, model),
    ...checkSignature(subject, model, policy),
    ...checkExample(subject, model, policy),
    ...checkPython(subject, model),
    ...(await checkMinimumVersions(subject, model, own)),
    ...(isChosen ? [] : checkPythonDrift(subject, model)),
    ...edited.problems,
    ...(await checkRequirements(subject, model, { ...edited, requirements: own }, { policy, packages })),
    ...checkVersionDrift(subject, model, new Map(pins)),
  ];
  const diagnostics = sortDiagnostics([...wrongCases, ...all.map((p) => locateProblem(subject, p))]);
  const { pythonVersion } = model;
  const hopeless = diagnostics.filter((d) => d.code.startsWith('requirement') || d.code === 'version-unsupported');
  if (hasErrors(hopeless) || pythonVersion === undefined) return { checked: undefined, diagnostics };
  const requirements = [...edited.requirements].sort((a, b) => (a.text < b.text ? -1 : 1));
  return { checked: { model, requirements, pythonVersion, cases }, diagnostics };
}

function checkFlavor({ label }: Subject, { flavors, locate }: Model): readonly ModelProblem[] {
  const pyfunc = flavors['python_function'];
  if (pyfunc && typeof pyfunc['loader_module'] === 'string') return [];
  const found = Object.keys(flavors).join(', ') || 'none';
  const message = `Cannot serve ${label}: its flavors are ${found}, expected python_function among them`;
  const hint = 'Log the model with mlflow.pyfunc, or with a flavor of MLflow that also writes python_function';
  return [{ code: 'flavor-missing', severity: 'error', message, hint, at: locate(['flavors'], { key: true }) }];
}

/** MLflow serves a model without a signature too: it parses requests without types. */
function checkSignature({ label }: Subject, model: Model, policy: ResolvedPolicy): readonly ModelProblem[] {
  const { signature, locate } = model;
  const missing = (['inputs', 'outputs'] as const).filter((part) => signature[part] === null);
  const problems: ModelProblem[] = [];
  if (missing.length > 0)
    problems.push(
      ...applyPolicy(policy.missingSignature, {
        code: 'signature-missing',
        message: `Found no ${missing.join(' and no ')} in the signature of ${label}: ${missing.includes('inputs') ? 'requests' : 'answers'} are not checked, expected both inputs and outputs`,
        hint: 'Log the model with signature=infer_signature(example, model.predict(example))',
        at: locate(['signature'], { key: true }),
      }),
    );
  for (const part of ['inputs', 'outputs', 'params'] as const) {
    const text = signature[part];
    const wrong = text === null ? undefined : checkSignaturePart(part, text);
    if (wrong === undefined) continue;
    const message = `Cannot parse the ${part} in the signature of ${label}: ${wrong}`;
    problems.push({ code: 'signature-invalid', severity: 'error', message, at: locate(['signature', part]) });
  }
  return problems;
}

/** What replaces the example is the rule of the model server (runtime/davit_server/scoring/choose_cases.py). */
function checkExample(
  { label, entity, alone }: Subject,
  model: Model,
  policy: ResolvedPolicy,
): readonly ModelProblem[] {
  const { example, signature, locate } = model;
  if (example !== undefined || entity.validation.length > 0) return [];
  const fallback =
    signature.inputs === null ? 'it is only loaded, and predicts nothing' : 'an input is made from its signature';
  const instead = policy.missingExample === 'error' ? 'the policy requires one' : fallback;
  const ways = alone ? '' : `, or add davit.served_entities.${entity.name}.validation`;
  return applyPolicy(policy.missingExample, {
    code: 'example-missing',
    message: `Found no input example in ${label}: ${instead}, expected one to predict with`,
    hint: `Log the model with input_example=…${ways}`,
    at: locate(['saved_input_example_info']),
  });
}

/** MLflow writes requirements.txt beside uv.lock. Without it, only uv itself can say which packages the lock means. */
const UV_LOCK_HINT =
  'It has uv.lock: run uv export --frozen --no-dev --no-emit-project -o requirements.txt in its folder, and log the model with that file as pip_requirements';

function checkPython({ label, alone, entity, endpoint }: Subject, model: Model): readonly ModelProblem[] {
  const list = `davit.served_entities.${entity.name}.requirements.add in ${endpoint.file}`;
  const at = { file: 'MLmodel', line: 1, column: 1 };
  const problems: ModelProblem[] = [];
  if (model.pythonVersion === undefined)
    problems.push({
      code: 'requirements-missing',
      severity: 'error',
      message: `Cannot choose a Python for ${label}: it names no version, expected one in python_env.yaml`,
      hint: `Write the version that saved the model there, such as python: 3.11.7${alone ? '' : `, or add it to ${list}, such as python==3.11.7`}`,
      at,
    });
  if (!model.hasRequirements && entity.requirementEdits.add.every(isPythonEdit))
    problems.push({
      code: 'requirements-missing',
      severity: 'error',
      message: `Cannot install the packages of ${label}: it has neither requirements.txt nor pip packages in conda.yaml`,
      hint: joinHints(
        model.hasUvLock ? UV_LOCK_HINT : undefined,
        alone
          ? 'List them in requirements.txt of the model, with mlflow among them'
          : `Without logging it again: list them in ${list}, with mlflow among them`,
      ),
      at,
    });
  return problems;
}
