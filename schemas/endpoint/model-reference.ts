import type { z } from 'zod';

/** A version that the registry can move to another model without a change of a file. */
export interface MovingVersion {
  readonly kind: 'alias' | 'latest' | 'stage';
  /** Without the `@` of an alias. */
  readonly target: string;
}

const STAGES = ['none', 'staging', 'production', 'archived'];
/** Aliases that most teams use. Without `@`, nobody means them as the name of a folder. */
const USUAL_ALIASES = ['champion', 'challenger'];
const ALIAS = /^[A-Za-z0-9_-]{1,255}$/;

/** `@champion`, `latest` or a stage of MLflow. Undefined: a number, or the name of a local model's folder. */
export function parseMovingVersion(version: string): MovingVersion | undefined {
  if (version.startsWith('@')) return { kind: 'alias', target: version.slice(1) };
  const word = version.toLowerCase();
  if (word === 'latest') return { kind: 'latest', target: word };
  return STAGES.includes(word) ? { kind: 'stage', target: version } : undefined;
}

/** A registered version in a URI: `models:/iris/2` or `models:/iris@champion`, whose version is `@champion`. */
export interface RegisteredVersion {
  readonly name: string;
  readonly version: string;
}

/** Undefined: the URI names no registered version; `models:/m-0123` is a logged model. */
export function parseRegisteredVersion(uri: string): RegisteredVersion | undefined {
  const [, path] = /^models:\/{1,3}([^/].*)$/.exec(uri) ?? [];
  if (path === undefined) return undefined;
  const at = path.lastIndexOf('@');
  if (at > 0) return { name: path.slice(0, at), version: path.slice(at) };
  const slash = path.lastIndexOf('/');
  return slash > 0 ? { name: path.slice(0, slash), version: path.slice(slash + 1) } : undefined;
}

/** `models:/iris/2`, `models:/iris@champion` */
export function renderRegisteredVersion({ name, version }: RegisteredVersion): string {
  return version.startsWith('@') ? `models:/${name}${version}` : `models:/${name}/${version}`;
}

/** Refuses an alias without its `@`, which no registry would find, and the quotation marks of a word processor. */
export function refuseWrongAlias(text: string, context: z.RefinementCtx): void {
  const refuse = (message: string, hint: string) => {
    context.addIssue({ code: 'custom', message, params: { hint } });
  };
  const quote = /[\u2018-\u201f\u00ab\u00bb]/g;
  if (quote.test(text[0] ?? ''))
    refuse('it is in typographic quotation marks, expected a version', `Write "${text.replaceAll(quote, '')}"`);
  if (text !== text.trim()) refuse('expected no space around it', `Write entity_version: "${text.trim()}"`);
  if (text.startsWith('@') && !ALIAS.test(text.slice(1)))
    refuse('expected "@" and an alias of letters, digits, "-" and "_"', 'Write the alias as in the registry: "@champion"'); // prettier-ignore
  if (USUAL_ALIASES.includes(text.trim().toLowerCase()))
    refuse(`expected "@" before an alias`, `Write entity_version: "@${text.trim()}", or the number of the version`);
}

/** Refuses a URI or an alias where the name of a registered model belongs. */
export function refuseModelUri(text: string, context: z.RefinementCtx): void {
  const wrong = /^(?:models|runs):/.test(text)
    ? ['a URI is not a name', 'Write the URI in davit.served_entities.NAME.model_uri, and here the name of the model']
    : text.includes('@')
      ? ['an alias is not part of the name', 'Write the name alone, and the alias in entity_version: "@champion"']
      : undefined;
  if (!wrong) return;
  const [why = '', hint] = wrong;
  context.addIssue({
    code: 'custom',
    message: `${why}, expected the name of a registered model`,
    params: { hint },
  });
}
