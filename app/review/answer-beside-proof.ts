import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { maskSecrets } from '../../schemas/values/mask-secrets.ts';
import { findLockedSide } from '../../validation/comparison/compare-packages.ts';
import { startAnswersBesideProof } from '../../validation/comparison/answer-beside-proof.ts';
import { pairEntities } from '../../validation/comparison/pair-entities.ts';
import { allowServices } from '../../validation/network/allow-services.ts';
import { resolvePolicy } from '../../validation/policy.ts';
import type { AnswerBesideProof } from '../../validation/proof/proof-stage.ts';
import { type CompareRequest, makeOldVersion } from './compare-changed.ts';
import { readBaseEndpoint } from './read-base.ts';

/**
 * Makes the function that has an entity's old version predict while the new one is proved. Whatever fails there is left to
 * the comparison, which reports it. Undefined: the review compares with nothing.
 */
export function makeAnswerBesideProof(endpoint: Endpoint, compare: CompareRequest): AnswerBesideProof | undefined {
  const { request, base, policies, acceptedServices, isRestricted } = compare;
  if (base === undefined) return undefined;
  const rules = { policy: resolvePolicy(policies), acceptedServices, isRestricted };
  const start: AnswerBesideProof = async (subject, { folder, lock }) => {
    const old = await readBaseEndpoint(endpoint.name, { ...request, base });
    const pair = old && pairEntities(old, { endpoint, lock }).find((p) => p.new.name === subject.entity.name);
    const before = pair && findLockedSide(old.lock, pair.old.name);
    const after = findLockedSide(lock, subject.entity.name);
    if (!before || !after) return undefined;
    const version = makeOldVersion(pair.old, { ...compare, old, base, rules });
    const services = allowServices(subject.entity, rules);
    return startAnswersBesideProof(
      { ...version, locked: before.entity, folder: await version.findModel() },
      { subject, lock, services, locked: after.entity, folder },
      request,
    );
  };
  return async (subject, model) => {
    try {
      return await start(subject, model);
    } catch (e) {
      request.signal.throwIfAborted();
      const why = maskSecrets(e instanceof Error ? e.message : String(e));
      request.progress.say(`Comparing ${subject.label} after its proof, and not beside it: ${why}`);
      return undefined;
    }
  };
}
