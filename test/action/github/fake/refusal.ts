/** A GitHub response to a request that it refuses. */
export class Refusal extends Error {
  readonly status: number;
  readonly errors: readonly unknown[] | undefined;

  constructor(status: number, message: string, errors?: readonly unknown[]) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

const COMMENT_CHARACTERS = 65_536;

export function refuseLongBody(body: string): void {
  if (body.length <= COMMENT_CHARACTERS) return;
  const message = `Body is too long (maximum is ${COMMENT_CHARACTERS} characters)`;
  throw new Refusal(422, 'Validation Failed', [
    { resource: 'IssueComment', code: 'unprocessable', field: 'data', message },
  ]);
}

/** Finds an item. Throws GitHub's 404 if there is none. */
export function find<T>(items: readonly T[], is: (item: T) => boolean): T {
  const found = items.find(is);
  if (found === undefined) throw new Refusal(404, 'Not Found');
  return found;
}
