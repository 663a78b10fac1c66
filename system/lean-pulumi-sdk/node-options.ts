import { pathToFileURL } from 'node:url';
import { programPath } from '../code.ts';

/** The Node option that loads Pulumi's SDK without the packages that Davit does not use. */
export const LEAN_SDK_OPTION = `--import=${pathToFileURL(programPath('system', 'lean-pulumi-sdk', 'register.ts')).href}`;
