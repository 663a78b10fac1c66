import type { PythonOptions } from '../../../python/find-uv.ts';
import { parseGitCommit } from '../../../schemas/lock/git-commit.ts';
import { SILENT, withProgress } from '../../../system/progress.ts';
import { checkLockedMlflow } from '../../model/check-minimum-versions.ts';
import type { Model } from '../../model/read-model.ts';
import { joinHints, type ModelProblem, type Subject } from '../../subject.ts';
import type { ResolutionExplanation } from './explain-resolution.ts';
import { parseRequirement, type Requirement } from '../parse-requirements.ts';
import type { ResolutionRequest } from '../resolution-request.ts';
import { resolveRequirements } from '../resolve-requirements.ts';

interface FailedResolution {
  readonly model: Model;
  readonly request: ResolutionRequest;
  readonly explanation: ResolutionExplanation | undefined;
}

const MAX_PROBLEMS = 5;
const UNKNOWN_PLACE = { file: 'requirements.txt', line: 1, column: 1 };

/**
 * Reports why requirements cannot be resolved, each problem on the line of its requirement if known. uv stops at the first
 * problem, so this resolves again with each repair that it suggests: the author learns of all problems at once.
 */
export async function describeResolutionFailure(
  subject: Subject,
  { model, request, explanation }: FailedResolution,
  options: PythonOptions,
): Promise<readonly ModelProblem[]> {
  const { progress = SILENT } = options;
  const problems: ModelProblem[] = [];
  let [tried, found] = [request, explanation];
  while (problems.length < MAX_PROBLEMS) {
    problems.push(describeProblem(subject, tried.requirements, found));
    const requirements = found && applyRepair(tried.requirements, found);
    // What the wheel of a built package requires is known only when it is built, and uv would build a commit outside of the sandbox.
    const isBuilt = subject.entity.buildWheels.length > 0 || requirements?.some((r) => parseGitCommit(r.source ?? ''));
    if (!requirements || isBuilt) return problems;
    const repaired = { ...tried, requirements };
    const resolution = await withProgress(progress, `Looking for further problems of ${subject.entity.name}`, () =>
      resolveRequirements(repaired, options),
    );
    if (resolution.packages) return [...problems, ...checkLockedMlflow(subject, model, resolution.packages)];
    [tried, found] = [repaired, resolution.explanation];
  }
  return problems;
}

/** The requirements with what an explanation adds and removes. Undefined: it names no repair. */
function applyRepair(
  requirements: readonly Requirement[],
  { add, remove }: ResolutionExplanation,
): readonly Requirement[] | undefined {
  const added = add === undefined ? undefined : parseRequirement(add, UNKNOWN_PLACE);
  if (added === undefined && remove === undefined) return undefined;
  const kept = requirements.filter(({ name }) => name !== remove && name !== added?.name);
  return added ? [...kept, added] : kept;
}

function describeProblem(
  subject: Subject,
  requirements: readonly Requirement[],
  explanation: ResolutionExplanation | undefined,
): ModelProblem {
  const at = requirements.find((r) => r.name === explanation?.about)?.at;
  return {
    code: 'resolution-failed',
    severity: 'error',
    message: `Cannot install the requirements of ${subject.label}: ${explanation?.why ?? 'uv gives no reason'}`,
    hint: joinHints(renderBuildHint(subject, explanation?.build), explanation?.hint),
    at: at ?? UNKNOWN_PLACE,
    ...(explanation?.add !== undefined && { add: explanation.add }),
    ...(explanation?.remove !== undefined && { remove: explanation.remove }),
  };
}

/** Only an endpoint file can allow a build. */
function renderBuildHint({ alone, entity, endpoint }: Subject, name: string | undefined): string | undefined {
  if (alone || name === undefined) return undefined;
  return `Davit can build its wheel in the sandbox: add build_wheels: [${name}] to davit.served_entities.${entity.name} in ${endpoint.file}`;
}
