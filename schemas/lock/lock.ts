import { stringify } from 'yaml';
import { z } from 'zod';
import { type Diagnostic, hasErrors } from '../diagnostic.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';

const SHA256 = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 hexadecimal digits');

const lockedPackage = z.strictObject({
  /** Normalised (PEP 503): `scikit-learn`. */
  name: z.string(),
  version: z.string(),
  /** Set if the package does not come from an index: a URL, or the path of a wheel inside the model. */
  source: z.string().optional(),
  hashes: z.array(SHA256),
});

const lockedVirtualenv = z.strictObject({
  /** Minor version: `3.11`. */
  python: z.string().regex(/^3\.\d+$/),
  /** The platform that uv resolved for, in uv's notation: `x86_64-manylinux_2_28`. */
  platform: z.string(),
  packages: z.array(lockedPackage),
});

const lockedEntity = z.strictObject({
  model: z.strictObject({
    name: z.string(),
    version: z.string(),
    /** As in the endpoint file. Absent if the model is found by name and version. */
    uri: z.string().optional(),
    digest: SHA256,
    mlflow_version: z.string().optional(),
    /** Full version of the Python that saved the model: `3.11.7`. */
    python_version: z.string(),
  }),
  /** The requirements that uv resolved: the model's requirements after the endpoint's edits, sorted. */
  requirements: z.array(z.string()),
  /** Key in `virtualenvs`. */
  virtualenv: z.string(),
  /** JSON text from MLmodel, or null. */
  signature: z.strictObject({
    inputs: z.string().nullable(),
    outputs: z.string().nullable(),
    params: z.string().nullable(),
    /** MLflow derived the signature from type hints: the model accepts only `inputs`, unconverted. */
    typeHints: z.literal(true).optional(),
  }),
});

const lock = z.strictObject({
  lock_version: z.literal(1),
  endpoint: z.string(),
  entities: z.record(z.string(), lockedEntity),
  virtualenvs: z.record(z.string(), lockedVirtualenv),
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
