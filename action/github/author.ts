/** Who wrote something, as GraphQL says it: `author { login type: __typename }`. */
export interface Author {
  readonly login: string;
  readonly type: string;
}

/** Whether that is us: an app is `github-actions[bot]` as viewer and the Bot `github-actions` as author. */
export function isAuthor(author: Author | null, viewer: string): boolean {
  const bot = viewer.endsWith('[bot]');
  return author !== null && author.login === viewer.replace(/\[bot\]$/, '') && (author.type === 'Bot') === bot;
}
