import { readOwn } from '../schemas/values/read-own.ts';
import { findNearest } from '../schemas/yaml/suggest-field.ts';

/** The words of other tools for what a verb does. */
const OTHER_WORDS: Readonly<Record<string, readonly string[]>> = {
  init: ['create', 'new', 'setup'],
  check: ['lint'],
  fmt: ['format'],
  validate: ['prove', 'test', 'verify'],
  preview: ['diff', 'plan'],
  up: ['apply', 'deploy', 'restart', 'run', 'start', 'update'],
  status: ['get', 'list', 'ls', 'ps'],
  query: ['call', 'invoke', 'predict'],
  logs: ['log'],
  down: ['delete', 'destroy', 'remove', 'rm', 'stop', 'undeploy'],
  cache: ['clean', 'gc', 'prune'],
};
const VERBS = Object.fromEntries(Object.entries(OTHER_WORDS).flatMap(([verb, words]) => words.map((w) => [w, verb])));

/** The message for a word that is no verb: the verb that was probably meant, else all of them. */
export function explainUnknownVerb(word: string, verbs: readonly string[]): string {
  const meant = readOwn(VERBS, word.toLowerCase()) ?? findNearest(word, verbs);
  return meant === undefined
    ? `Cannot run "${word}": expected one of ${verbs.join(', ')}`
    : `Cannot run "${word}": there is no such verb, did you mean "npx davit ${meant}"?`;
}
