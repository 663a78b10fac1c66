/** A request that GitHub has refused or not answered, finally or after all retries. */
export class GitHubRequestError extends Error {
  /** Undefined if GitHub did not answer. */
  readonly status: number | undefined;

  /** The error type of GraphQL: `FORBIDDEN`, `NOT_FOUND`, `STALE_DATA`, …; undefined for REST. */
  readonly type: string | undefined;

  constructor(
    message: string,
    options: { readonly status: number | undefined; readonly type?: string; readonly cause: unknown },
  ) {
    super(message, { cause: options.cause });
    this.name = 'GitHubRequestError';
    this.status = options.status;
    this.type = options.type;
  }
}

/** Whether the token is read-only, as in a fork's pull request or in a job without the permission. */
export function isReadOnlyTokenError(error: unknown): boolean {
  return (
    error instanceof GitHubRequestError &&
    error.status === 403 &&
    error.message.includes('not accessible by integration')
  );
}

/** Whether GitHub does not have what was requested (any more), or hides it. */
export function isNotFoundError(error: unknown): boolean {
  return error instanceof GitHubRequestError && error.status === 404;
}

interface FailedRequest {
  readonly method: string;
  readonly url: string;
}

interface OctokitError {
  readonly status?: unknown;
  readonly response?: { readonly headers?: Readonly<Record<string, unknown>> };
}

/** The error of a request, with the request and, where GitHub names it, the missing permission. */
export function makeRequestError(error: unknown, { method, url }: FailedRequest): GitHubRequestError {
  if (error instanceof GitHubRequestError) return error;
  const { status, response } = error as OctokitError;
  const said = error instanceof Error ? error.message.split(' - https://', 1)[0] : String(error);
  const accepted = response?.headers?.['x-accepted-github-permissions'];
  const hint = status === 403 && typeof accepted === 'string' ? `; the job needs "permissions:" with ${accepted}` : '';
  // octokit gives the status 500 to a request without an answer, too.
  const code = response && typeof status === 'number' ? status : undefined;
  const outcome = code === undefined ? 'got no answer' : `returned ${code}`;
  return new GitHubRequestError(`Cannot query GitHub: ${method} ${url} ${outcome}: ${said}${hint}`, {
    status: code,
    cause: error,
  });
}
