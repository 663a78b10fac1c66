import { stringify } from 'yaml';
import { z } from 'zod';
import { type Diagnostic, hasErrors } from '../diagnostic.ts';
import { gitCommit } from './git-commit.ts';
import { makePatternSchema } from '../values/text-shape.ts';
import { lockedCase } from './locked-case.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { readSimpleYaml } from '../yaml/read-simple-yaml.ts';
import {
  line,
  packageName,
  packageSource,
  packageVersion,
  platform,
  pythonMinor,
  pythonVersion,
  registeredVersion,
  SHA256,
  virtualenvKey,
} from './locked-values.ts';

/** Of an endpoint or an entity, as in endpoint files. */
const entityName = makePatternSchema('expected a name', /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/);

const packageFields = {
  name: packageName,
  version: packageVersion,
  source: packageSource.optional(),
  hashes: z.array(SHA256).min(1, 'expected at least one hash'),
};

const lockedPackage = z
  .strictObject({
    ...packageFields,
    /** Davit builds the wheel of this hash from a source distribution of the index or a commit, with these packages. */
    built: z
      .strictObject({ from: z.union([SHA256, gitCommit]), with: z.array(z.strictObject(packageFields)) })
      .optional(),
  })
  .refine(({ source, built }) => source === undefined || built === undefined, {
    error: 'expected "source" or "built", not both',
  })
  .describe('One package of a virtualenv');

const lockedVirtualenv = z.strictObject({
  python: pythonMinor,
  /** The platform that uv resolved for. */
  platform,
  packages: z.array(lockedPackage),
});

const lockedEntity = z.strictObject({
  model: z.strictObject({
    name: line,
    version: line,
    /** As in the endpoint file. Absent if the model is found by name and version. */
    uri: line.optional(),
    /** What the endpoint file says instead of a number, and the version that it meant when it was resolved. */
    resolved: z.strictObject({ from: line, version: registeredVersion, at: line }).optional(),
    digest: SHA256,
    mlflow_version: line.optional(),
    /** Full version of the Python that saved the model: `3.11.7`. */
    python_version: pythonVersion,
  }),
  /** The requirements that uv resolved: the model's requirements after the endpoint's edits, sorted. */
  requirements: z.array(line),
  /** Key in `virtualenvs`. */
  virtualenv: virtualenvKey,
  /** JSON text from MLmodel, or null. */
  signature: z.strictObject({
    inputs: z.string().nullable(),
    outputs: z.string().nullable(),
    params: z.string().nullable(),
    /** MLflow derived the signature from type hints: the model accepts only `inputs`, unconverted. */
    typeHints: z.literal(true).optional(),
  }),
  /** The validation cases of the endpoint file. Absent: it has none. */
  validation: z.array(lockedCase).min(1, 'expected at least one case').optional(),
});

const lock = z.strictObject({
  lock_version: z.literal(1),
  endpoint: entityName,
  entities: z.record(entityName, lockedEntity),
  virtualenvs: z.record(virtualenvKey, lockedVirtualenv),
});

/** The pinned models and packages of one endpoint: `endpoints/NAME.lock`. */
export type Lock = z.infer<typeof lock>;
export type LockedEntity = z.infer<typeof lockedEntity>;
export type LockedVirtualenv = z.infer<typeof lockedVirtualenv>;
export type LockedPackage = z.infer<typeof lockedPackage>;

/** Parses the text of a lock, or returns its diagnostics. */
export function parseLock(
  text: string,
  file: string,
): { readonly lock: Lock | undefined; readonly diagnostics: readonly Diagnostic[] } {
  // Only the diagnostics of a lock that Davit did not write need positions.
  const simple = lock.safeParse(readSimpleYaml(text));
  if (simple.success) return { lock: simple.data, diagnostics: [] };
  const parsed = parseYaml(text, file, lock);
  const diagnostics = parsed.diagnostics.map((d): Diagnostic => ({
    ...d,
    code: 'lock-invalid',
    hint: 'Make the lock again: npx davit lock',
  }));
  if (hasErrors(diagnostics) || parsed.value === undefined) return { lock: undefined, diagnostics };
  return { lock: parsed.value, diagnostics };
}

/** Renders a lock. The same lock always gives the same text, so that Git shows only real changes. */
export function renderLock(value: Lock): string {
  const head = `# Made by \`npx davit lock ${value.endpoint}\` and reviewed like code. Change the endpoint or its model, not this file.\n`;
  return head + stringify(value, { lineWidth: 0, sortMapEntries: false, aliasDuplicateObjects: false });
}
