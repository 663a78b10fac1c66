import { codePath } from '../../../system/code.ts';
import type { SourceKind } from '../model-sources.ts';

/** An object store that MLflow reads with packages of its own, which are installed when a model is there. */
export type Store = 'google' | 'azure';

/** The store of a source. Undefined: none, or one that only the registry knows. */
export function chooseStore(kind: SourceKind): Store | undefined {
  return kind === 'google' || kind === 'azure' ? kind : undefined;
}

/** The packages that the store needs besides those of every download. */
export function locateStoreRequirements(store: Store): string {
  return codePath('validation', 'model', 'downloads', `${store}-requirements.txt`);
}

const MISSING = /"kind": "package", "package": "(google|azure)[.\w]*"/;

/** The store whose packages a failed download lacks, by the last line that download_model.py writes to standard error. */
export function findMissingStore(stderr: string): Store | undefined {
  return MISSING.exec(stderr.trim().split('\n').at(-1) ?? '')?.[1] as Store | undefined;
}
