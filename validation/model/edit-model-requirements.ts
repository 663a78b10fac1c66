import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { editTextList, readTextList } from '../../schemas/yaml/edit-list.ts';
import { parseDocument } from '../../schemas/yaml/parse-document.ts';
import type { Path } from '../../schemas/yaml/parsed-yaml.ts';
import { rewriteFileAtomically } from '../../system/atomic-files.ts';
import { editRequirementsText } from '../requirements/editing/edit-requirements-text.ts';
import {
  isUnchanged,
  planListEdit,
  readRequirementName,
  type RequirementsEdit,
} from '../requirements/editing/plan-list-edit.ts';
import { readRequirements } from '../requirements/read-requirements.ts';
import { readModelText } from './read-model-text.ts';

/** A file of a model before and after an edit. */
export interface ModelFileEdit {
  /** Inside the model: `requirements.txt`. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

export interface ModelEdit {
  /** The files that change. */
  readonly edits: readonly ModelFileEdit[];
  /** Names to remove that no file requires. */
  readonly unknown: readonly string[];
  /** Why the model's files cannot be edited. */
  readonly refusal: string | undefined;
}

/** The lists of one file, each with what may be done to it. */
interface EditableFile {
  readonly file: string;
  readonly text: string;
  readonly names: readonly string[];
  readonly edit: (edit: RequirementsEdit) => string | undefined;
}

/**
 * Plans the edit of a model's requirements in its own files, as `mlflow.models.update_model_requirements` does it in
 * requirements.txt and in the pip section of conda.yaml; also in python_env.yaml, if requirements stand there. Comments and
 * options of the files stay. Writes nothing.
 */
export async function planModelEdit(folder: string, edit: RequirementsEdit): Promise<ModelEdit> {
  const files = [...(await listTextFiles(folder, edit)), ...(await listYamlFiles(folder))];
  const refuse = (refusal: string): ModelEdit => ({ edits: [], unknown: [], refusal });
  if (edit.added.some((r) => r.name === 'python')) return refuse('python is not a package that pip installs');
  if (files.length === 0) return refuse('it has neither requirements.txt nor conda.yaml');
  const edits: ModelFileEdit[] = [];
  for (const { file, text: before, edit: apply } of files) {
    const after = apply(edit);
    if (after === undefined) return refuse(`${file} has a form that cannot be edited without a loss`);
    if (after !== before) edits.push({ file, before, after });
  }
  const known = new Set(files.flatMap((f) => f.names));
  return { edits, unknown: [...edit.removed].filter((name) => !known.has(name)), refusal: undefined };
}

/** Writes all files, or none. Returns a function that writes their earlier texts. */
export async function writeModelEdit(folder: string, { edits }: ModelEdit): Promise<() => Promise<void>> {
  const written: { readonly path: string; readonly before: string }[] = [];
  const restore = async () => {
    for (const { path, before } of written.toReversed()) await rewriteFileAtomically(path, before);
  };
  try {
    for (const { file, before, after } of edits) {
      const path = await realpath(join(folder, file));
      if ((await readFile(path, 'utf8')) !== before)
        throw new Error(`Cannot change ${path}: it has changed meanwhile. Run the command again`);
      await rewriteFileAtomically(path, after);
      written.push({ path, before });
    }
  } catch (e) {
    await restore();
    throw e;
  }
  return restore;
}

/** The file requirements.txt and those that it includes. A new requirement is written to the first. */
async function listTextFiles(folder: string, { added }: RequirementsEdit): Promise<readonly EditableFile[]> {
  if ((await readModelText(folder, 'requirements.txt')) === undefined) return [];
  const { requirements } = await readRequirements(folder, { conda: [], pythonEnv: [] });
  const names = ['requirements.txt', ...new Set(requirements.map((r) => r.at.file))];
  const texts = [...new Set(names)].map(async (file): Promise<EditableFile> => {
    const text = (await readModelText(folder, file)) ?? '';
    const own = requirements.filter((r) => r.at.file === file).map((r) => r.name);
    // What stands in an included file is replaced there.
    const elsewhere = new Set(requirements.filter((r) => r.at.file !== file).map((r) => r.name));
    const isFirst = file === 'requirements.txt';
    const mine = added.filter((r) => own.includes(r.name) || (isFirst && !elsewhere.has(r.name)));
    return { file, text, names: own, edit: ({ removed }) => editRequirementsText(text, { added: mine, removed }) };
  });
  return Promise.all(texts);
}

async function listYamlFiles(folder: string): Promise<readonly EditableFile[]> {
  const [conda, python] = await Promise.all(
    ['conda.yaml', 'python_env.yaml'].map((file) => readModelText(folder, file)),
  );
  const path = conda === undefined ? undefined : findPipSection(conda);
  return [
    ...(conda !== undefined && path ? [makeYamlFile('conda.yaml', conda, path)] : []),
    ...(python === undefined ? [] : makePythonFile(python)),
  ];
}

/** Undefined: there is no list of dependencies. Behind the last one, if there is no pip section yet. */
function findPipSection(text: string): Path | undefined {
  const document = parseDocument(text, { logLevel: 'error' });
  if (document.errors[0]) throw document.errors[0];
  const value: unknown = document.toJS();
  const list: unknown = value !== null && typeof value === 'object' && 'dependencies' in value && value.dependencies;
  if (!Array.isArray(list)) return undefined;
  const found = list.findIndex((item) => item !== null && typeof item === 'object' && 'pip' in item);
  return ['dependencies', found < 0 ? list.length : found, 'pip'];
}

/** MLflow's own python_env.yaml has only `-r requirements.txt`. */
function makePythonFile(text: string): readonly EditableFile[] {
  const file = makeYamlFile('python_env.yaml', text, ['dependencies']);
  return file.names.length > 0 ? [file] : [];
}

function makeYamlFile(file: string, text: string, path: Path): EditableFile {
  const list = readTextList(text, path);
  const names = list.flatMap((line) => readRequirementName(line) ?? []);
  const appends = !list.some((line) => /^(?:-r|--requirement)\b/.test(line.trim()));
  return {
    ...{ file, text, names },
    edit: (edit) => {
      const planned = planListEdit(list, edit, { appends });
      return isUnchanged(planned) ? text : editTextList(text, path, planned);
    },
  };
}
