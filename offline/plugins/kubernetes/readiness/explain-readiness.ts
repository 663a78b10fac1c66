import { diagnosePods } from '../../../../kubernetes/diagnosis/diagnose-revision.ts';
import { findEndedContainer, type ObservedPod } from '../../../../kubernetes/diagnosis/observe-revision.ts';
import { formatGroupKind, type KubernetesObject, readPulumiAnnotation } from '../objects/kubernetes-object.ts';
import { NO_RELATED_OBJECTS, READINESS_RULES, type RelatedObjects } from './readiness-rules.ts';
import { READY, type Readiness, readObjectStatus } from './readiness.ts';
import { checkExpression, readWaitFor } from './wait-for.ts';

/** Whether a live object is ready and, if not, why: by the program's `waitFor`, else by its kind. */
export function explainReadiness(live: KubernetesObject, related: RelatedObjects = NO_RELATED_OBJECTS): Readiness {
  if (readPulumiAnnotation(live, 'skipAwait') === 'true') return READY;
  const waitedFor = readWaitFor(live);
  if (waitedFor) return waitedFor.map((e) => checkExpression(live, e)).find((r) => r.state !== 'ready') ?? READY;
  const rule = READINESS_RULES[formatGroupKind(live)];
  if (!rule) return READY;
  const found = rule(live, readObjectStatus(live), related);
  return found.state === 'ready' ? found : addPodCause(found, related);
}

/** Whether an object's readiness depends on pods. */
export function hasPods(object: KubernetesObject): boolean {
  return /^(apps\/.*|batch\/Job|\/Pod)$/.test(formatGroupKind(object));
}

/** Adds the problem of the pods as the reason why the workload is not ready. */
function addPodCause(found: Readiness, { pods, lastWords }: RelatedObjects): Readiness {
  const why = diagnosePods(
    pods.filter((pod) => found.state === 'failed' || isStuck(pod)),
    lastWords,
  );
  if (why?.state !== 'failed') return found;
  const cause = [why.message, ...why.hints].join('\n');
  return { state: 'failed', message: found.state === 'failed' ? `${found.message}\n${cause}` : cause };
}

/** A container may end while its dependencies start. One that ended several times will not recover. */
function isStuck(pod: ObservedPod): boolean {
  const restarts = (pod.status?.containerStatuses ?? []).map((c) => c.restartCount ?? 0);
  return !findEndedContainer(pod) || restarts.some((n) => n >= STUCK_RESTARTS);
}

const STUCK_RESTARTS = 3;
