import type { LockedEntity } from '../../schemas/lock/lock.ts';
import { parseYaml } from '../../schemas/yaml/parse-yaml.ts';
import { type MlmodelFile, mlmodelFile } from '../model/parse-mlmodel.ts';
import { readModelText } from '../model/read-model-text.ts';
import type { SharedInput } from './compare-predictions.ts';

/** Where one version's inputs come from. */
export interface InputSource {
  readonly locked: LockedEntity;
  /** The model's folder. */
  readonly folder: string;
}

const MAX_EXAMPLE_BYTES = 4 << 20;
/** What can begin or end a text of JSON, and NaN. */
const TEXT_OR_NAN = /(\\.|"|NaN)/s;

/**
 * The validation cases and the examples of both versions, each body once. Those of the old version come first, because the
 * pull request must not push them out of a limited list.
 */
export async function listSharedInputs(old: InputSource, now: InputSource): Promise<readonly SharedInput[]> {
  const found = [...(await listInputs('old', old)), ...(await listInputs('new', now))];
  const byBody = new Map<string, SharedInput>();
  for (const input of found) {
    const key = `${input.kind} ${input.body}`;
    const same = byBody.get(key);
    byBody.set(key, same && same.of !== input.of ? { ...same, of: 'both' } : (same ?? input));
  }
  return [...byBody.values()];
}

async function listInputs(of: 'old' | 'new', { locked, folder }: InputSource): Promise<readonly SharedInput[]> {
  const cases = (locked.validation ?? []).map((c): SharedInput => ({
    of,
    origin: 'endpoint',
    name: c.name,
    kind: c.content_type,
    body: c.input,
  }));
  const example = await readExample(folder);
  if (example === undefined) return cases;
  return [...cases, { of, origin: 'example', name: '', kind: 'json', body: example }];
}

/** The model's example as a request, as the model server makes it (scoring/example.py). Undefined: none that is JSON. */
async function readExample(folder: string): Promise<string | undefined> {
  const serving = await readExampleText(folder, 'serving_input_example.json');
  if (serving !== undefined) return parseExample(serving) === undefined ? undefined : replaceNan(serving);
  const saved = readSavedExample(await readModelText(folder, 'MLmodel'));
  const text = saved && (await readExampleText(folder, saved.artifact_path ?? 'input_example.json'));
  const value = text === undefined ? undefined : parseExample(text);
  return saved && value ? JSON.stringify(makeServingForm(value.example, saved)) : undefined;
}

/** An example that is too large, or a link, does not count. */
async function readExampleText(folder: string, name: string): Promise<string | undefined> {
  const text = await readModelText(folder, name).catch(() => undefined);
  return text !== undefined && Buffer.byteLength(text) <= MAX_EXAMPLE_BYTES ? text : undefined;
}

type SavedExample = NonNullable<MlmodelFile['saved_input_example_info']>;

function readSavedExample(mlmodel: string | undefined): SavedExample | undefined {
  return parseYaml(mlmodel ?? '', 'MLmodel', mlmodelFile).value?.saved_input_example_info ?? undefined;
}

function parseExample(text: string): { readonly example: unknown } | undefined {
  try {
    return { example: JSON.parse(replaceNan(text)) };
  } catch {
    return undefined;
  }
}

/** MLflow writes a missing number as NaN, which a request may not contain. */
function replaceNan(text: string): string {
  if (!text.includes('NaN')) return text;
  let isInText = false;
  const replace = (part: string) => {
    if (part === '"') isInText = !isInText;
    return part === 'NaN' && !isInText ? 'null' : part;
  };
  return text.split(TEXT_OR_NAN).map(replace).join('');
}

function makeServingForm(example: unknown, saved: SavedExample): unknown {
  const isObject = example !== null && typeof example === 'object';
  const has = (...keys: readonly string[]) => isObject && keys.some((key) => Object.hasOwn(example, key));
  if (saved.type === 'dataframe') {
    const isSplit = has('data') && ['split', 'values'].includes(String(saved['pandas_orient']));
    return isSplit ? { dataframe_split: example } : { inputs: example };
  }
  return has('inputs', 'instances', 'messages', 'prompt', 'input') ? example : { inputs: example };
}
