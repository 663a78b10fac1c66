import { stat } from 'node:fs/promises';
import type { Policy } from '../../schemas/environment/policy.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import { findLockedVirtualenv } from '../../schemas/lock/find-locked-virtualenv.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import { named } from '../../system/progress.ts';
import { keepRegistryCard } from '../../validation/card/kept-card.ts';
import type { RegistryCard } from '../../validation/card/read-registry-card.ts';
import { resolvePolicy } from '../../validation/policy.ts';
import type { Subject } from '../../validation/subject.ts';
import { findWithdrawn, locateWithdrawn } from '../../validation/withdrawn/find-withdrawn.ts';
import { catchOutage } from '../catch-outage.ts';
import type { ProjectRequest } from '../project-request.ts';

interface AnswersStage {
  readonly request: ProjectRequest;
  readonly policies: readonly Policy[];
  /** Receives the files of the cache to hand over. */
  readonly files: Set<string>;
}

/** Hands over what a registry says about a version, because the validation has no credentials to query it. */
export async function keepCard(
  { subject, lock }: { readonly subject: Subject; readonly lock: Lock },
  read: () => Promise<RegistryCard | undefined>,
  { files }: Pick<AnswersStage, 'files'>,
): Promise<RegistryCard | undefined> {
  const locked = readOwn(lock.entities, subject.entity.name)?.model;
  const card = locked && (await read());
  if (card) files.add(await keepRegistryCard(locked, card));
  return card;
}

/** Hands over which versions the index has withdrawn: the validation asks no index for the names of private packages. */
export async function keepWithdrawn(
  lock: Lock,
  entity: string,
  { request, policies, files }: AnswersStage,
): Promise<void> {
  const { signal, progress: all } = request;
  const virtualenv = findLockedVirtualenv(lock, entity);
  if (!virtualenv || (resolvePolicy(policies).vulnerabilities ?? 'ignore') === 'ignore') return;
  const options = { progress: named(all, lock.endpoint), signal, asksIndex: true };
  await catchOutage(signal, () => findWithdrawn(virtualenv, options));
  const file = locateWithdrawn(virtualenv);
  if (await stat(file).catch(() => undefined)) files.add(file);
}
