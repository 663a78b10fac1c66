import { pathToFileURL } from 'node:url';
import { programPath } from '../code.ts';

/** The Node option that loads Pulumi's SDK without the packages that Davit does not use. It contains no space. */
export const LEAN_SDK_OPTION = `--import=${pathToFileURL(programPath('system', 'lean-sdk', 'register.ts')).href}`;

/** Removes the option from a value of NODE_OPTIONS. */
export function withoutLeanSdk(nodeOptions: string): string {
  return nodeOptions
    .split(' ')
    .filter((option) => option !== '' && option !== LEAN_SDK_OPTION)
    .join(' ');
}
