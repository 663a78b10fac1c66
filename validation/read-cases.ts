import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isBelow } from '../system/is-below.ts';
import { type Diagnostic, makeError } from '../schemas/diagnostic.ts';
import type { DiagnosticCode } from '../schemas/diagnostic-codes.ts';
import type { ValidationCase } from '../schemas/endpoint/validation-cases.ts';
import type { LockedCase } from '../schemas/lock/locked-case.ts';
import { renderCases } from '../schemas/lock/render-cases.ts';
import type { Subject } from './subject.ts';

/** The model server gets the cases as one argument, which Linux limits to 128 KiB, escaped twice. */
const MAX_CASES_BYTES = 32 << 10;
const FORMS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'];
/** MLflow passes a request with one of these keys to the model as it is. */
const BARE_KEYS = ['messages', 'prompt', 'input'];

export interface ReadCases {
  readonly cases: readonly LockedCase[];
  readonly diagnostics: readonly Diagnostic[];
}

/** A case that cannot be used. */
class CaseError extends Error {
  readonly code: DiagnosticCode;

  constructor(code: DiagnosticCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Reads the validation cases of an entity. Paths are relative to `root`, the project. */
export async function readCases({ entity, endpoint }: Subject, root: string): Promise<ReadCases> {
  const folders = [...new Set([dirname(endpoint.file), 'models'])];
  const read = await Promise.all(entity.validation.map((c) => readCase(c, root, folders)));
  const diagnostics = read.flatMap((r, i) => (r instanceof CaseError ? [makeCaseError(r, entity.validation[i])] : []));
  const cases = read.flatMap((r) => (r instanceof CaseError ? [] : [r]));
  const bytes = Buffer.byteLength(renderCases(cases));
  const [first] = entity.validation;
  if (first && bytes > MAX_CASES_BYTES) {
    const message = `Cannot use the validation cases of "${entity.name}": they have ${Math.ceil(bytes / 1024)} KiB, expected at most ${MAX_CASES_BYTES / 1024} KiB together`;
    return { cases: [], diagnostics: [makeError('bad-value', first.place, message, 'Use fewer rows')] };
  }
  return { cases, diagnostics };
}

function makeCaseError({ code, message }: CaseError, found: ValidationCase | undefined): Diagnostic {
  return makeError(code, found?.place ?? { file: '', line: 1, column: 1 }, message);
}

async function readCase(
  { name, input, contentType, expected }: ValidationCase,
  root: string,
  folders: readonly string[],
): Promise<LockedCase | CaseError> {
  try {
    const body = 'path' in input ? await readInput(root, input.path, folders) : renderInput(input.data);
    if (contentType === 'json') requireJson(body, name);
    const expect = expected && JSON.stringify(expected.value);
    return { name, content_type: contentType, input: body, ...(expect !== undefined && { expect }) };
  } catch (e) {
    if (e instanceof CaseError) return e;
    throw e;
  }
}

/** A text is the whole body, and a map with one of MLflow's keys too. Any other value is what `inputs` would have. */
function renderInput(data: unknown): string {
  if (typeof data === 'string') return data;
  const isBody =
    data !== null && typeof data === 'object' && [...FORMS, ...BARE_KEYS].some((key) => Object.hasOwn(data, key));
  return JSON.stringify(isBody ? data : { inputs: data });
}

function requireJson(body: string, name: string): void {
  try {
    JSON.parse(body);
  } catch (e) {
    const why = (e as Error).message;
    throw new CaseError(
      'bad-value',
      `Cannot use the input of the validation case "${name}": it is not JSON (${why}), expected a request body`,
    );
  }
}

/**
 * Reads a file below the folders that a review compares and checks out. The text becomes part of the lock, so no symbolic
 * link may lead out of these folders: the project also contains files that nobody reviews, such as `.env` and `.git`.
 */
async function readInput(root: string, path: string, folders: readonly string[]): Promise<string> {
  const expected = `expected a file in ${folders.map((f) => `${f}/`).join(' or ')}`;
  const isAllowed = (file: string, project: string) => folders.some((f) => isBelow(file, resolve(project, f)));
  const file = resolve(root, path);
  if (!isAllowed(file, root)) throw new CaseError('bad-value', `Cannot use ${path} as an input: ${expected}`);
  const real = await realpath(file).catch(() => undefined);
  if (real === undefined || !(await stat(real)).isFile())
    throw new CaseError('unreadable-file', `Cannot read ${path}: there is no such file`);
  // The folders themselves are not resolved, because a pull request could replace one by a link to `.git`.
  if (!isAllowed(real, await realpath(root)))
    throw new CaseError(
      'unreadable-file',
      `Cannot read ${path}: a symbolic link leads out of ${folders.map((f) => `${f}/`).join(' and ')}, ${expected}`,
    );
  const bytes = await readFile(real);
  if (bytes.length > MAX_CASES_BYTES)
    throw new CaseError(
      'bad-value',
      `Cannot use ${path} as an input: it has ${Math.ceil(bytes.length / 1024)} KiB, expected at most ${MAX_CASES_BYTES / 1024} KiB`,
    );
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CaseError('unreadable-file', `Cannot read ${path}: it is not UTF-8 text`);
  }
}
