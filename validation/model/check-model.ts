import { type Diagnostic, hasErrors, sortDiagnostics } from '../../schemas/diagnostic.ts';
import { checkMinimumVersions } from './check-minimum-versions.ts';
import { checkVersionDrift, checkPythonDrift } from './check-version-drift.ts';
import { checkRequirements } from '../requirements/check-requirements.ts';
import { checkSignaturePart } from './check-signature.ts';
import { editRequirements } from '../requirements/edit-requirements.ts';
import type { Requirement } from '../requirements/parse-requirements.ts';
import { type Model, readModel } from './read-model.ts';
import { type ModelProblem, locateProblem, type Subject } from '../subject.ts';

/** A model that passed enough static checks to resolve its requirements. */
export interface CheckedModel {
  readonly model: Model;
  /** After the endpoint's edits, sorted. */
  readonly requirements: readonly Requirement[];
  readonly pythonVersion: string;
}

export interface ModelCheck {
  /** Set also with errors that do not concern requirements or versions, because resolution can report more problems. */
  readonly checked: CheckedModel | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** The static stage: reads the model's files without running any of its code, and reports all problems together. */
export async function checkModel(subject: Subject, folder: string): Promise<ModelCheck> {
  const { model, problems } = await readModel(folder);
  if (!model) return { checked: undefined, diagnostics: problems.map((p) => locateProblem(subject, p)) };
  const edited = editRequirements(subject, model);
  const pins = edited.requirements.flatMap((r) => (r.pin === undefined ? [] : [[r.name, r.pin] as const]));
  const all = [
    ...problems,
    ...checkFlavor(subject, model),
    ...checkSignature(subject, model),
    ...checkExample(subject, model),
    ...checkPython(subject, model),
    ...checkMinimumVersions(subject, model, edited.requirements),
    ...checkPythonDrift(subject, model),
    ...edited.problems,
    ...(await checkRequirements(subject, model, edited.requirements)),
    ...checkVersionDrift(subject, model, new Map(pins)),
  ];
  const diagnostics = sortDiagnostics(all.map((p) => locateProblem(subject, p)));
  const { pythonVersion } = model;
  const hopeless = diagnostics.filter((d) => d.code.startsWith('requirement') || d.code === 'version-unsupported');
  if (hasErrors(hopeless) || pythonVersion === undefined) return { checked: undefined, diagnostics };
  const requirements = [...edited.requirements].sort((a, b) => (a.text < b.text ? -1 : 1));
  return { checked: { model, requirements, pythonVersion }, diagnostics };
}

function checkFlavor({ label }: Subject, { flavors, locate }: Model): readonly ModelProblem[] {
  const pyfunc = flavors['python_function'];
  if (pyfunc && typeof pyfunc['loader_module'] === 'string') return [];
  const found = Object.keys(flavors).join(', ') || 'none';
  const message = `Cannot serve ${label}: its flavors are ${found}, expected python_function among them`;
  return [{ code: 'flavor-missing', severity: 'error', message, at: locate(['flavors'], { key: true }) }];
}

function checkSignature({ label }: Subject, { signature, locate }: Model): readonly ModelProblem[] {
  const missing = (['inputs', 'outputs'] as const).filter((part) => signature[part] === null);
  const problems: ModelProblem[] = [];
  if (missing.length > 0)
    problems.push({
      code: 'signature-missing',
      severity: 'error',
      message: `Cannot prove ${label}: its signature has no ${missing.join(' and no ')}, expected both inputs and outputs`,
      hint: 'Log the model with signature=infer_signature(example, model.predict(example))',
      at: locate(['signature'], { key: true }),
    });
  for (const part of ['inputs', 'outputs', 'params'] as const) {
    const text = signature[part];
    const wrong = text === null ? undefined : checkSignaturePart(part, text);
    if (wrong === undefined) continue;
    const message = `Cannot parse the ${part} in the signature of ${label}: ${wrong}`;
    problems.push({ code: 'signature-invalid', severity: 'error', message, at: locate(['signature', part]) });
  }
  return problems;
}

function checkExample({ label }: Subject, { example, locate }: Model): readonly ModelProblem[] {
  if (example !== undefined) return [];
  const message = `Cannot prove ${label}: it has no input example, expected one to predict with`;
  const at = locate(['saved_input_example_info']);
  return [{ code: 'example-missing', severity: 'error', message, hint: 'Log the model with input_example=…', at }];
}

function checkPython({ label }: Subject, model: Model): readonly ModelProblem[] {
  const at = { file: 'MLmodel', line: 1, column: 1 };
  const problems: ModelProblem[] = [];
  if (model.pythonVersion === undefined)
    problems.push({
      code: 'requirements-missing',
      severity: 'error',
      message: `Cannot choose a Python for ${label}: it names no version, expected one in python_env.yaml`,
      at,
    });
  if (!model.hasRequirements)
    problems.push({
      code: 'requirements-missing',
      severity: 'error',
      message: `Cannot install the packages of ${label}: it has neither requirements.txt nor pip packages in conda.yaml`,
      at,
    });
  return problems;
}
