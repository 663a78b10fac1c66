import { z } from 'zod';
import { parseRegisteredVersion } from '../../schemas/endpoint/model-reference.ts';
import type { LockedEntity } from '../../schemas/lock/lock.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import { findRegistrySource } from '../model/download-model.ts';
import type { FetchOptions } from '../model/fetched-model.ts';
import { runDownload } from '../model/run-download.ts';
import type { Subject } from '../subject.ts';
import { queryCard } from './query-card.ts';
import { makeRegistryPages, type RegistryPages } from './make-registry-pages.ts';

const short = z.string().max(200);
const fields = z.record(short, short);
/** As registry_versions.py writes it. */
const registryAnswer = z.object({
  by: short.nullable(),
  registered: short.nullable(),
  description: short.nullable(),
  aliases: z.array(short).max(30),
  tags: fields,
  run: short.nullable(),
  run_name: short.nullable(),
  experiment: short.nullable(),
  metrics: fields,
  params: fields,
});
type RegistryAnswer = z.infer<typeof registryAnswer>;

/** What a registry says about a version. Every text is of somebody who may register models. */
export interface RegistryCard {
  readonly fields: ReadonlyMap<string, string>;
  readonly pages: RegistryPages;
}

/**
 * Queries the registry of a locked model for who registered it, and for its run. Undefined: the model is in no registry
 * that this job may query, or the registry does not answer, which a review does without.
 */
export async function readRegistryCard(
  subject: Subject,
  { name, version, uri, resolved }: LockedEntity['model'],
  options: FetchOptions,
): Promise<RegistryCard | undefined> {
  const named = uri === undefined ? { name, version } : parseRegisteredVersion(uri);
  const number = resolved?.version ?? named?.version ?? '';
  if (!named || !/^\d{1,18}$/.test(number)) return undefined;
  const wanted = { name: named.name, version: number };
  const source = findRegistrySource(subject, wanted, options);
  if (!source) return undefined;
  const { progress = SILENT } = options;
  const label = `${wanted.name} ${wanted.version}`;
  const run = await withProgress(progress, `Querying the registry about ${label}`, () =>
    queryCard(source, () => runDownload(source, { action: '--card', label }, options)),
  );
  const answer = run.code === 0 ? registryAnswer.safeParse(JSON.parse(run.stdout)).data : undefined;
  if (!answer) {
    progress.say(`The registry says nothing about ${label}`);
    return undefined;
  }
  const { run: id, experiment } = answer;
  const pages = makeRegistryPages(source.connection, { ...wanted, run: id, experiment }, options.registries);
  return { fields: listFields(answer), pages };
}

function listFields(answer: RegistryAnswer): ReadonlyMap<string, string> {
  const { by, registered, description, aliases, run, run_name: runName } = answer;
  const plain = {
    ...{ 'registered by': by, 'registered at': registered, run, 'run name': runName, description },
    aliases: aliases.length === 0 ? null : aliases.join(', '),
  };
  const inside = (['metrics', 'params', 'tags'] as const).flatMap((map) =>
    Object.entries(answer[map]).map(([key, value]) => [`${map}.${key}`, value] as const),
  );
  return new Map(
    [...Object.entries(plain), ...inside].flatMap(([field, text]) => (text === null ? [] : [[field, text]])),
  );
}
