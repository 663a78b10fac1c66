import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { codePath } from '../../system/code.ts';

/** Node as one file that runs on Debian. */
export interface NodeProgram {
  readonly file: string;
  readonly version: string;
}

/** Node 24 out of the npm package by which Davit itself has it, else the Node that runs now. */
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
