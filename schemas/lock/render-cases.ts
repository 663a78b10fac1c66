import type { LockedCase } from './locked-case.ts';

/**
 * Renders cases as the model server's option `--cases`. Kubernetes replaces `$(NAME)` in arguments, so the text has no
 * dollar sign.
 */
export function renderCases(cases: readonly LockedCase[]): string {
  const list = cases.map(({ expect, ...rest }) => ({
    ...rest,
    ...(expect !== undefined && { expect: JSON.parse(expect) as unknown }),
  }));
  return JSON.stringify(list).replaceAll('$', String.raw`\u0024`);
}
