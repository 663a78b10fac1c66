import type { EngineEvent } from '@pulumi/pulumi/automation/index.js';
import { resourceName } from './plan.ts';
import { GOES_ON } from './pulumi-command.ts';

/** One thing that went wrong in a preview or an update. */
export interface Failure {
  /** The resource; undefined: the program, or the engine itself. */
  readonly resource: { readonly urn: string; readonly type: string; readonly name: string } | undefined;
  readonly message: string;
}

/** What went wrong, from the engine's events; without what only repeats it. */
export function makeFailures(events: readonly EngineEvent[]): readonly Failure[] {
  const errors = events.flatMap((e) => (e.diagnosticEvent?.severity === 'error' ? [e.diagnosticEvent] : []));
  const failures = errors.map(({ urn, message }) => ({ resource: makeResource(urn), message: cleanMessage(message) }));
  const telling = failures.filter((f) => !REPEATS.test(f.message));
  return telling.length > 0 ? telling : failures;
}

/** What the engine says last, after it has said what failed. */
const REPEATS =
  /^(update|preview|destroy|refresh|resource registration) (failed|cancell?ed)$|^(update|preview) was cancell?ed$/;

function makeResource(urn: string | undefined): Failure['resource'] {
  const type = urn?.split('::')[2]?.split('$').at(-1);
  if (!urn || !type || type.startsWith('pulumi:')) return undefined;
  return { urn, type, name: resourceName(urn) };
}

/** The engine blames whoever wrote a process that was killed; what that printed last comes after. */
const ENDED =
  /^(?:Detected that \S+ exited prematurely[\s\S]*?(?:streams of the plugin:([\s\S]*))?|error reading from server: EOF)$/;

/** Without the engine's colours, and without the frames that it puts around a provider's reasons. */
function cleanMessage(message: string): string {
  const plain = message.replaceAll(/<\{%[^%]*%\}>/g, '').trim();
  const ended = ENDED.exec(plain);
  if (ended)
    return [`its provider or its program ended in the middle; ${GOES_ON}`, ended[1]?.trim() ?? ''].join('\n').trim();
  const refused = /^\S+ resource '.*?': property (\S+) value [\s\S]* has a problem: ([\s\S]*)$/.exec(plain);
  if (refused) return `${refused[1] ?? ''}: ${refused[2] ?? ''}`;
  const serialized = /^(?:error serializing property "[^"]*": )+([\s\S]*)$/.exec(plain)?.[1];
  if (serialized !== undefined) return serialized;
  const reasons = /^\d+ errors? occurred:\n([\s\S]*)$/.exec(plain)?.[1];
  return reasons === undefined ? plain : reasons.replaceAll(/^\s*\* /gm, '').trim();
}
