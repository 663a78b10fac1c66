import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { codePath } from '../../system/code.ts';

/** Node as a single file that runs on Debian. */
export interface NodeProgram {
  readonly file: string;
  readonly version: string;
}

/** Node 24 from the npm package that Davit itself uses, else the running Node. */
export function findNodeProgram(): NodeProgram {
  const require = createRequire(codePath('package.json'));
  const name = `node-linux-${process.arch}/package.json`;
  try {
    const { version } = require(name) as { readonly version: string };
    return { file: join(dirname(require.resolve(name)), 'bin', 'node'), version };
  } catch {
    return { file: process.execPath, version: process.versions.node };
  }
}
