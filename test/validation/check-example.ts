import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { checkAgainstEnvironment } from '../../schemas/endpoint/check-against-environment.ts';
import { checkEndpoints } from '../../schemas/endpoint/check-endpoints.ts';
import { parseEndpoint } from '../../schemas/endpoint/parse-endpoint.ts';
import { parseEnvironment } from '../../schemas/environment/environment.ts';
import { GOOD_MODEL } from '../../schemas/explanations/model-codes.ts';
import { parseLock } from '../../schemas/lock/lock.ts';
import { checkNewEntities, checkRemovedEntities, reportMissingLock } from '../../validation/check-lock.ts';
import { checkModel } from '../../validation/model/check-model.ts';
import { fetchModel } from '../../validation/model/fetch-model.ts';
import { resolvePolicy } from '../../validation/policy.ts';
import { makeSubject } from '../../validation/subject.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';

type Files = Readonly<Record<string, string>>;

/** All that Davit says of the files of a documented example, without running a model. */
export async function checkExample(files: Files): Promise<readonly Diagnostic[]> {
  const entries = Object.entries(files);
  const below = (folder: string, end: string) =>
    entries.filter(([path]) => path.startsWith(`${folder}/`) && path.endsWith(end));
  const endpoints = below('endpoints', '.yaml').map(([path, text]) => parseEndpoint(text, path));
  const environments = below('environments', '.yaml').map(([path, text]) => parseEnvironment(text, path));
  const locks = below('endpoints', '.lock').map(([path, text]) => parseLock(text, path));
  const complete = endpoints.flatMap(({ endpoint }) => endpoint ?? []);
  const places = environments.flatMap(({ environment }) => environment ?? []);
  const lock = locks[0]?.lock;
  const subjects = complete.flatMap((endpoint) => endpoint.entities.map((entity) => makeSubject(endpoint, entity)));
  return [
    ...[...endpoints, ...environments, ...locks].flatMap((parsed) => parsed.diagnostics),
    ...checkEndpoints(endpoints),
    ...complete.flatMap((endpoint) => places.flatMap((place) => checkAgainstEnvironment(endpoint, place))),
    ...(lock ? complete.flatMap((e) => [...checkNewEntities(e, lock), ...checkRemovedEntities(e, lock)]) : []),
    ...(locks.length === 0 ? subjects.map(reportMissingLock) : []),
    ...(await checkModels(subjects, files)),
  ];
}

/** Only for files of a model: the others of a good model are added. Without any, there is no model. */
async function checkModels(subjects: readonly ReturnType<typeof makeSubject>[], files: Files) {
  const root = makeTemporaryFolder('example');
  try {
    const models = Object.entries(files).filter(([path]) => path.startsWith('models/'));
    for (const [path, text] of models.length > 0 ? Object.entries({ ...GOOD_MODEL, ...files }) : []) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    const found = subjects.map(async (subject) => {
      const { folder, diagnostics } = await fetchModel(subject, { root });
      return folder === undefined
        ? diagnostics
        : (await checkModel(subject, folder, { root, policy: resolvePolicy() })).diagnostics;
    });
    return (await Promise.all(found)).flat();
  } finally {
    await rm(root, { recursive: true });
  }
}
