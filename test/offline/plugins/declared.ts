import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the program beside this file is to make. */
export interface Declared {
  /** The provider's arguments. */
  readonly settings: Readonly<Record<string, string | boolean>>;
  /** By the resource's name; without `apiVersion` and `kind` where the type says them. */
  readonly objects: Readonly<Record<string, DeclaredObject>>;
}

export interface DeclaredObject {
  /** `kubernetes:core/v1:ConfigMap` */
  readonly type: string;
  /** Resources that are made before it. */
  readonly after?: readonly string[];
  /** Options of the resource: `ignoreChanges`, `retainOnDelete`, `customTimeouts`, `import`. */
  readonly options?: object;
  readonly [field: string]: unknown;
}

/** Makes a project of that program; `declare` says what the next update should make. */
export async function makeObjectsProject() {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'davit-objects-')));
  await writeFile(join(root, 'Pulumi.yaml'), PULUMI_YAML);
  return {
    root,
    declare: (declared: Declared) => writeFile(join(root, 'objects.json'), JSON.stringify(declared)),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

const PROGRAM = dirname(fileURLToPath(import.meta.resolve('./objects/index.ts')));
const PULUMI_YAML = `
name: objects
runtime: { name: nodejs, options: { typescript: false } }
main: ${PROGRAM}
stackConfigDir: .davit/stacks
backend: { url: 'file://.davit/pulumi?metadata=skip' }
`;
