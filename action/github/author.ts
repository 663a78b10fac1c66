/** The author of something in GraphQL: `author { login type: __typename }`. */
export interface Author {
  readonly login: string;
  readonly type: string;
}

/** Whether the author is us. An app is `github-actions[bot]` as viewer, but the Bot `github-actions` as author. */
export function isAuthor(author: Author | null, viewer: string): boolean {
  const bot = viewer.endsWith('[bot]');
  return author !== null && author.login === viewer.replace(/\[bot\]$/, '') && (author.type === 'Bot') === bot;
}
