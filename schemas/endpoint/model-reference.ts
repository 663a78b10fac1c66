import type { z } from 'zod';

/** Words that name a version indirectly: MLflow's `latest`, its stages, and the aliases that most teams use. */
const ALIASES = ['latest', 'none', 'staging', 'production', 'archived', 'champion', 'challenger'];

/**
 * Refuses an alias or a stage instead of a version, because what it means changes without a pull request, and a version in
 * the quotation marks of a word processor.
 */
export function refuseAlias(text: string, context: z.RefinementCtx): void {
  if (/^[\u2018-\u201f\u00ab]/.test(text)) {
    const plain = text.replaceAll(/[\u2018-\u201f\u00ab\u00bb]/g, '');
    const message = 'it is in typographic quotation marks, expected a version';
    context.addIssue({ code: 'custom', message, params: { hint: `Write "${plain}"` } });
  }
  const isAlias = text.trim().startsWith('@') || ALIASES.includes(text.trim().toLowerCase());
  if (!isAlias) return;
  context.addIssue({
    code: 'custom',
    message: 'an alias is not a version, expected the number of a version',
    params: { hint: 'Write the number of the version that it means now, in quotes: entity_version: "3"' },
  });
}

/** Refuses a URI or an alias where the name of a registered model belongs. */
export function refuseModelUri(text: string, context: z.RefinementCtx): void {
  const wrong = /^(?:models|runs):/.test(text)
    ? ['a URI is not a name', 'Write the URI in davit.served_entities.NAME.model_uri, and here the name of the model']
    : text.includes('@')
      ? ['an alias is not part of the name', 'Write the name alone, and the number of the version in entity_version']
      : undefined;
  if (!wrong) return;
  const [why = '', hint] = wrong;
  context.addIssue({
    code: 'custom',
    message: `${why}, expected the name of a registered model`,
    params: { hint },
  });
}
