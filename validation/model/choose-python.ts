import { minorVersion } from '../../python/find-python.ts';
import { parseRequirement } from '../requirements/parse-requirements.ts';
import type { ModelProblem, Subject } from '../subject.ts';
import { findByteCode } from './find-byte-code.ts';
import type { Model } from './read-model.ts';

interface ChosenPython {
  /** With the Python that the endpoint file chooses, if it may. */
  readonly model: Model;
  /** Whether that is another Python than the one that saved the model. */
  readonly isChosen: boolean;
  readonly problems: readonly ModelProblem[];
}

const AT = { file: 'MLmodel', line: 1, column: 1 };

/** Whether a line of `requirements.add` chooses the Python: `python==3.11`. */
export function isPythonEdit(line: string): boolean {
  return parseRequirement(line, AT)?.name === 'python';
}

/**
 * Applies `python==3.11` of the endpoint's `requirements.add`. Byte code in a pickle is read only by the Python that wrote
 * it, so a model that has some keeps its own.
 */
export async function choosePython({ entity, label }: Subject, model: Model): Promise<ChosenPython> {
  const line = entity.requirementEdits.add.findLast(isPythonEdit);
  if (line === undefined) return { model, isChosen: false, problems: [] };
  const chosen = /^==(3\.\d{1,2}(?:\.\d{1,3})?)(?:\.\*)?$/.exec(parseRequirement(line, AT)?.specifier ?? '')?.[1];
  const refuse = (message: string, hint?: string): ChosenPython => ({
    ...{ model, isChosen: false },
    problems: [{ code: 'requirement-invalid', severity: 'error', message, hint, at: AT }],
  });
  if (chosen === undefined)
    return refuse(`Cannot add "${line}" to the requirements of ${label}: expected a version, such as python==3.11`);
  const { pythonVersion } = model;
  const inFlavor = model.flavors['python_function']?.['python_version'];
  const writer = typeof inFlavor === 'string' ? inFlavor : pythonVersion;
  // Where the model does not say which Python wrote its byte code, only its author knows.
  if (writer === undefined || minorVersion(writer) === minorVersion(chosen))
    return { model: { ...model, pythonVersion: chosen }, isChosen: true, problems: [] };
  const file = await findByteCode(model.folder);
  if (file !== undefined)
    return refuse(
      `Cannot run ${label} with Python ${minorVersion(chosen)}: ${file} has, or may have, byte code of Python ${writer}`,
      'Train and log the model again with that Python',
    );
  return { model: { ...model, pythonVersion: chosen }, isChosen: true, problems: [] };
}
