import { explainPods } from '../../../../kubernetes/diagnosis/diagnose-revision.ts';
import { endedContainer, type ObservedPod } from '../../../../kubernetes/diagnosis/observe-revision.ts';
import { groupKind, type KubernetesObject, pulumiAnnotation } from '../objects/kubernetes-object.ts';
import { NOTHING_RELATED, READINESS_RULES, type Related } from './readiness-rules.ts';
import { READY, type Readiness, statusOf } from './readiness.ts';
import { checkExpression, readWaitFor } from './wait-for.ts';

/** Whether a live object is ready and, if not, why: by the program's `waitFor`, else by its kind. */
export function explainReadiness(live: KubernetesObject, related: Related = NOTHING_RELATED): Readiness {
  if (pulumiAnnotation(live, 'skipAwait') === 'true') return READY;
  const waitedFor = readWaitFor(live);
  if (waitedFor) return waitedFor.map((e) => checkExpression(live, e)).find((r) => r.state !== 'ready') ?? READY;
  const rule = READINESS_RULES[groupKind(live)];
  if (!rule) return READY;
  const found = rule(live, statusOf(live), related);
  return found.state === 'ready' ? found : withCause(found, related);
}

/** Whether an object's readiness depends on pods. */
export function hasPods(object: KubernetesObject): boolean {
  return /^(apps\/.*|batch\/Job|\/Pod)$/.test(groupKind(object));
}

/** Adds the problem of the pods as the reason why the workload is not ready. */
function withCause(found: Readiness, { pods, lastWords }: Related): Readiness {
  const why = explainPods(
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
  return !endedContainer(pod) || restarts.some((n) => n >= MANY_RESTARTS);
}

const MANY_RESTARTS = 3;
