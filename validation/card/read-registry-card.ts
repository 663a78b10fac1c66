import { z } from 'zod';
import { parseRegisteredVersion, type RegisteredVersion } from '../../schemas/endpoint/model-reference.ts';
import type { LockedEntity } from '../../schemas/lock/lock.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import type { RegistryConnection } from '../model/choose-registry.ts';
import { findRegistrySource } from '../model/download-model.ts';
import type { FetchOptions } from '../model/fetched-model.ts';
import { maskSecrets } from '../../schemas/values/mask-secrets.ts';
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

/** The report shows it in place of a card: a review does without the registry, and its readers know it. */
export const NO_ANSWER: RegistryCard = {
  fields: new Map([['registry', 'gave no answer']]),
  pages: { model: null, run: null },
};

/**
 * Queries the registry of a locked model for who registered it, and for its run. Undefined: the model is in no registry
 * that this job may query. Only an interruption is thrown.
 */
export async function readRegistryCard(
  subject: Subject,
  { name, version, uri, resolved }: LockedEntity['model'],
  options: FetchOptions,
  download = runDownload,
): Promise<RegistryCard | undefined> {
  const named = uri === undefined ? { name, version } : parseRegisteredVersion(uri);
  const number = resolved?.version ?? named?.version ?? '';
  if (!named || !/^\d{1,18}$/.test(number)) return undefined;
  const wanted = { name: named.name, version: number };
  const source = findRegistrySource(subject, wanted, options);
  if (!source) return undefined;
  const { progress = SILENT } = options;
  const label = `${wanted.name} ${wanted.version}`;
  const query = () => queryCard(source, () => download(source, { action: '--card', label }, options));
  try {
    const run = await withProgress(progress, `Querying the registry about ${label}`, query);
    if (run.code !== 0) throw new Error(run.stderr.trim().split('\n').at(-1)?.slice(0, 300));
    return makeCard(
      registryAnswer.parse(JSON.parse(run.stdout)),
      { ...wanted, connection: source.connection },
      options,
    );
  } catch (e) {
    options.signal?.throwIfAborted();
    progress.say(
      `The registry gave no answer about ${label}: ${maskSecrets(e instanceof Error ? e.message : String(e))}`,
    );
    return NO_ANSWER;
  }
}

function makeCard(
  answer: RegistryAnswer,
  { connection, ...wanted }: RegisteredVersion & { readonly connection: RegistryConnection },
  options: FetchOptions,
): RegistryCard {
  const { run: id, experiment } = answer;
  const pages = makeRegistryPages(connection, { ...wanted, run: id, experiment }, options.registries);
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
