import { z } from 'zod';
import type { LockedEntity } from '../../schemas/lock/lock.ts';
import { versionPages } from '../../schemas/report/comparison.ts';
import { contentHash } from '../../schemas/values/names.ts';
import { readText } from '../../schemas/read-project.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { NO_ANSWER, type RegistryCard } from './read-registry-card.ts';
import { parseJson } from '../../schemas/values/parse-json.ts';

const text = z.string().max(200);
const keptCard = z.union([
  z.strictObject({ fields: z.array(z.tuple([text, text])).max(1000), pages: versionPages }),
  z.strictObject({ fields: z.null() }),
]);

type Model = LockedEntity['model'];

/** Keeps a card for the job that may query no registry. Returns the file. */
export async function keepRegistryCard(model: Model, card: RegistryCard): Promise<string> {
  const kept: z.infer<typeof keptCard> =
    card === NO_ANSWER ? { fields: null } : { fields: [...card.fields], pages: card.pages };
  const file = locateKeptCard(model);
  await writeFileAtomically(file, JSON.stringify(kept));
  return file;
}

/** The card that an earlier job has kept. Undefined: none. */
export async function readKeptCard(model: Model): Promise<RegistryCard | undefined> {
  const kept = parseJson(await readText(locateKeptCard(model)), keptCard);
  if (!kept) return undefined;
  return kept.fields === null ? NO_ANSWER : { fields: new Map(kept.fields), pages: kept.pages };
}

/** By the content too, because the registries of two environments may have the same name. */
function locateKeptCard({ name, version, uri, digest, resolved }: Model): string {
  const key = contentHash({ format: 1, name, version, uri, digest, resolved: resolved?.version });
  return cacheFolder('cards', `${key.slice(0, 32)}.json`);
}
