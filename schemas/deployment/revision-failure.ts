/**
 * Why a revision does not become ready. It passes through Pulumi as text: the Pulumi program and the local provider
 * render it, and the app parses it. An error without this form is an outage or a fault of Davit.
 */
export interface RevisionFailure {
  /** Name of the resource: `iris-2-3f9c2a71d0`. */
  readonly revision: string;
  /** One sentence. */
  readonly message: string;
  /** Additional lines for the user: the end of a log, the next step. */
  readonly hints: readonly string[];
}

const HEAD = /^Revision (\S+) does not become ready: ([\s\S]*)$/;

/** Renders the failure as an error message. */
export function renderRevisionFailure({ revision, message, hints }: RevisionFailure): string {
  return [`Revision ${revision} does not become ready: ${message}`, ...hints].join('\n');
}

/** Parses a rendered failure. Returns undefined for any other message. */
export function parseRevisionFailure(text: string): RevisionFailure | undefined {
  const [, revision, rest] = HEAD.exec(text) ?? [];
  if (revision === undefined || rest === undefined) return undefined;
  const [message = '', ...hints] = rest.split('\n');
  return { revision, message, hints };
}
