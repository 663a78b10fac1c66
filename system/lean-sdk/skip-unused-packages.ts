import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CODE_FOLDER } from '../code.ts';

/**
 * What Pulumi's SDK imports to serialize functions for its dynamic providers, and to map stack traces of compiled
 * programs. Davit's program has neither. Without these packages the SDK loads in 0.5 instead of 1.1 CPU seconds, which
 * every preview and every update pays twice: in `davit` and in the program.
 */
const UNUSED = new Set(['@npmcli/arborist', 'source-map-support/register', 'typescript']);
const FROM = '/node_modules/@pulumi/pulumi/';
const STAND_IN = pathToFileURL(join(CODE_FOLDER, 'system', 'lean-sdk', 'unused-package.cjs')).href;

/** From now on this process loads Pulumi's SDK without the packages that Davit does not use. */
export function skipUnusedPackages(): void {
  if (registered) return;
  registered = true;
  registerHooks({
    resolve(name, context, next) {
      if (!UNUSED.has(name) || !context.parentURL?.includes(FROM)) return next(name, context);
      return { url: STAND_IN, format: 'commonjs', shortCircuit: true };
    },
  });
}

let registered = false;
