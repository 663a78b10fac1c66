/** Why a revision does not become ready: what the program says to the engine and the CLI reads out of it again. */
export interface RevisionFailure {
  /** Name of the resource: `iris-2-3f9c2a71d0`. */
  readonly revision: string;
  /** One sentence. */
  readonly message: string;
  /** What a person needs beside it: last lines of a log, what to do. */
  readonly hints: readonly string[];
}

const HEAD = /^Revision (\S+) does not become ready: ([\s\S]*)$/;

/** As the message of an error. */
export function renderRevisionFailure({ revision, message, hints }: RevisionFailure): string {
  return [`Revision ${revision} does not become ready: ${message}`, ...hints].join('\n');
}

/** The way back; undefined for any other message. */
export function parseRevisionFailure(text: string): RevisionFailure | undefined {
  const [, revision, rest] = HEAD.exec(text) ?? [];
  if (revision === undefined || rest === undefined) return undefined;
  const [message = '', ...hints] = rest.split('\n');
  return { revision, message, hints };
}
