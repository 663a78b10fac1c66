import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { parseEndpoint } from '../../schemas/endpoint/parse-endpoint.ts';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'models');
const OURS = join(import.meta.dirname, '..', '..', 'models', 'iris');

/** A project in a temporary folder that the test's end removes. `models`: NAME/VERSION → fixture, or `iris/1`, `iris/2`. */
export async function makeProject(models: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'davit-project-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [place, fixture] of Object.entries(models)) {
    const from = fixture.startsWith('iris/') ? join(OURS, fixture.slice('iris/'.length)) : join(FIXTURES, fixture);
    await mkdir(dirname(join(root, 'models', place)), { recursive: true });
    await cp(from, join(root, 'models', place), { recursive: true, filter: (f) => !f.endsWith('__pycache__') });
  }
  return root;
}

/** Writes files below a folder. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** `endpoints/NAME.yaml` with one entity for each model; the first takes all traffic. `davit`: by entity, as in the file. */
export function makeEndpoint(
  name: string,
  entities: Readonly<Record<string, string>>,
  davit: Readonly<Record<string, unknown>> = {},
): Endpoint {
  const names = Object.keys(entities);
  const value = {
    name,
    config: {
      served_entities: Object.entries(entities).map(([entity, model]) => ({
        name: entity,
        entity_name: model.split('/')[0],
        entity_version: model.split('/')[1],
      })),
      traffic_config: { routes: [{ served_entity_name: names[0], traffic_percentage: 100 }] },
    },
    ...(Object.keys(davit).length > 0 && { davit: { served_entities: davit } }),
  };
  const { endpoint, diagnostics } = parseEndpoint(JSON.stringify(value, null, 2), `endpoints/${name}.yaml`);
  if (!endpoint) throw new Error(JSON.stringify(diagnostics));
  return endpoint;
}

/** A model of version 1 of iris's files whose loader is `source`: a module with `_load_pyfunc(path)`. */
export async function makeModelFromCode(root: string, place: string, source: string): Promise<string> {
  const folder = join(root, 'models', place);
  await mkdir(dirname(folder), { recursive: true });
  await cp(join(OURS, '1'), folder, { recursive: true });
  const mlmodel = await readFile(join(folder, 'MLmodel'), 'utf8');
  const flavor =
    'flavors:\n  python_function:\n    loader_module: from_code\n    code: code\n    python_version: 3.11.7\n';
  await writeFiles(folder, {
    MLmodel: flavor + mlmodel.slice(mlmodel.indexOf('is_signature_from_type_hint')),
    'code/from_code.py': source,
  });
  return folder;
}
