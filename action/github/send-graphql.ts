import type { GitHub } from './connect.ts';
import { GitHubRequestError } from './request-error.ts';

/** GitHub's GraphQL error types → the status that REST would have. */
const STATUS_BY_TYPE: Readonly<Record<string, number>> = { FORBIDDEN: 403, NOT_FOUND: 404, STALE_DATA: 409 };
const OTHER_STATUS = 422;

interface GraphqlError {
  readonly type?: string;
  readonly message: string;
}

/** Sends a GraphQL query. GraphQL answers a refusal with status 200; this throws it like a refusal of REST. */
export async function sendGraphql<T>(
  { octokit }: GitHub,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<T> {
  try {
    return await octokit.graphql<T>(query, { ...variables });
  } catch (e) {
    const { errors } = e as { readonly errors?: readonly GraphqlError[] };
    const [first] = errors ?? [];
    if (!first || e instanceof GitHubRequestError) throw e;
    const { type = 'UNKNOWN', message } = first;
    const field = /\b(\w+)\(/.exec(query.slice(query.indexOf('{')))?.[1] ?? 'viewer';
    throw new GitHubRequestError(`Cannot query GitHub: ${field} returned ${type}: ${message}`, {
      status: STATUS_BY_TYPE[type] ?? OTHER_STATUS,
      type,
      cause: e,
    });
  }
}
