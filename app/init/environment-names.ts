import { parse } from 'yaml';

/** Each is a job of a workflow, whose name begins with a letter. */
const NAME = /^[a-z][a-z0-9-]{0,30}$/;
/** `local` is built in, `preview` an environment of GitHub for every pull request, `warm` a job of the deployment. */
const RESERVED = ['local', 'preview', 'warm'];

/** Names of environments on Kubernetes, or why they cannot be used. */
export interface ParsedNames {
  readonly names?: readonly string[];
  readonly why?: string;
}

/** Reads names that are separated by spaces or commas. */
export function parseEnvironmentNames(text: string): ParsedNames {
  const names = text.split(/[\s,]+/).filter(Boolean);
  const wrong = names.find((name) => !isName(name));
  if (wrong !== undefined)
    return {
      why: `Cannot use "${wrong}" as an environment: expected 1 to 31 lowercase letters, digits or "-", beginning with a letter, and no word that YAML has, such as null`,
    };
  const reserved = names.find((name) => RESERVED.includes(name));
  if (reserved !== undefined)
    return {
      why: `Cannot use "${reserved}" as an environment on Kubernetes: Davit uses it itself, expected another name`,
    };
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  return twice === undefined ? { names } : { why: `Cannot use "${twice}" twice: expected each environment once` };
}

/** In a workflow, `on` or `null` without quotes is no text. */
function isName(name: string): boolean {
  return NAME.test(name) && parse(name, { version: '1.1' }) === name;
}
