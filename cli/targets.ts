import type { Environment } from '../schemas/environment.ts';
import { LOCAL } from './local-target.ts';
import type { Target } from './target.ts';

/** By the `target` of an environment. */
export const TARGETS: Readonly<Record<Environment['target'], Target>> = { local: LOCAL };
