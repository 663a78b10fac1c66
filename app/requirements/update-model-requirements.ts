import { z } from 'zod';
import { renderDiagnostic } from '../../schemas/diagnostic.ts';
import { locateModel } from '../../system/locate-model.ts';
import { planModelEdit, writeModelEdit } from '../../validation/model/edit-model-requirements.ts';
import { fetchModel } from '../../validation/model/fetch-model.ts';
import { readModel } from '../../validation/model/read-model.ts';
import { locateProblem } from '../../validation/subject.ts';
import { makeStandaloneSubject } from '../../validation/validate-model.ts';
import { InvalidParameterError } from '../invalid-parameter.ts';
import { parseParameters } from '../parse-parameters.ts';
import { OPERATIONS, parseEdit } from './parse-edit.ts';

/** The parameters of `mlflow.models.update_model_requirements`, and the base of relative paths. */
export interface UpdateModelRequirementsParameters {
  /** A local directory with MLmodel. */
  readonly model_uri: string;
  readonly operation: 'add' | 'remove';
  /** `pillow==10.2.0`; to remove, the name alone is enough. */
  readonly requirement_list: readonly string[];
  /** The base of relative paths; default: the current folder. */
  readonly cwd?: string | undefined;
}

const PARAMETERS = z.strictObject({
  model_uri: z.string().trim().min(1, 'expected a directory with MLmodel'),
  operation: z.enum(OPERATIONS),
  requirement_list: z.array(z.string()),
  cwd: z.string().optional(),
});

export interface UpdatedModelRequirements {
  /** The files that were changed: `requirements.txt`, `conda.yaml`. */
  readonly files: readonly string[];
  /** What the model requires now. */
  readonly requirements: readonly string[];
  /** Names to remove that the model does not require. */
  readonly ignored: readonly string[];
}

/**
 * Adds or removes requirements in the files of a model, as `mlflow.models.update_model_requirements` does: what is added
 * replaces a requirement with the same name. Comments and options of the files stay. Throws an Error before it changes
 * anything.
 */
export async function updateModelRequirements(
  parameters: UpdateModelRequirementsParameters,
): Promise<UpdatedModelRequirements> {
  const {
    model_uri: uri,
    operation,
    requirement_list: lines,
    cwd = process.cwd(),
  } = parseParameters(parameters, PARAMETERS);
  const edit = parseEdit(operation, lines);
  const subject = makeStandaloneSubject(uri, { cwd });
  if (locateModel(cwd, subject.entity.model).remote !== undefined)
    throw new InvalidParameterError(
      `Cannot change the requirements of ${uri}: expected a local directory. An endpoint changes them with davit requirements`,
    );
  const { folder, diagnostics } = await fetchModel(subject, { root: cwd });
  if (folder === undefined) throw new InvalidParameterError(diagnostics.map(renderDiagnostic).join('\n'));
  const { model, problems } = await readModel(folder);
  if (!model)
    throw new InvalidParameterError(problems.map((p) => renderDiagnostic(locateProblem(subject, p))).join('\n'));
  const planned = await planModelEdit(folder, edit);
  if (planned.refusal !== undefined)
    throw new InvalidParameterError(`Cannot change the requirements of ${uri}: ${planned.refusal}`);
  await writeModelEdit(folder, planned);
  const { model: after } = await readModel(folder);
  return {
    files: planned.edits.map((e) => e.file),
    requirements: after?.requirements.map((r) => r.text) ?? [],
    ignored: planned.unknown,
  };
}
