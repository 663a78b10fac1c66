import type { Severity } from '../schemas/diagnostic.ts';

/**
 * The severity that a repository has chosen for a kind of finding. It comes from Davit's own environment, which a
 * workflow sets, and from no file of the checkout, because a pull request writes those. Throws for any other word.
 */
export function readSeverityPolicy(variable: string, variables: NodeJS.ProcessEnv = process.env): Severity {
  const word = variables[variable] ?? '';
  if (word === '' || word === 'warning') return 'warning';
  if (word === 'error') return 'error';
  throw new Error(`Cannot use ${variable}: it is ${JSON.stringify(word.slice(0, 40))}, expected warning or error`);
}
