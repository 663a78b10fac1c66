import type { EngineEvent } from '@pulumi/pulumi/automation/index.js';
import { resourceName } from './plan.ts';
import { RESUME_HINT } from '../pulumi-command.ts';

/** A failure of a preview or an update. */
export interface EngineFailure {
  /** The failed resource; undefined: the program or the engine itself failed. */
  readonly resource: { readonly urn: string; readonly type: string; readonly name: string } | undefined;
  readonly message: string;
  /** The property of the resource that its provider refuses, where that is the failure. */
  readonly property?: string;
}

/** The failures in the engine's events, without messages that only repeat another one. */
export function makeFailures(events: readonly EngineEvent[]): readonly EngineFailure[] {
  const errors = events.flatMap((e) => (e.diagnosticEvent?.severity === 'error' ? [e.diagnosticEvent] : []));
  const failures = errors.map(({ urn, message }) => ({ resource: makeResource(urn), ...readMessage(message) }));
  const informative = failures.filter((f) => !CLOSING_MESSAGE.test(f.message));
  return informative.length > 0 ? informative : failures;
}

/** The engine's closing messages, which follow the message of the actual failure. */
const CLOSING_MESSAGE =
  /^(update|preview|destroy|refresh|resource registration) (failed|cancell?ed)$|^(update|preview) was cancell?ed$/;

function makeResource(urn: string | undefined): EngineFailure['resource'] {
  const type = urn?.split('::')[2]?.split('$').at(-1);
  if (!urn || !type || type.startsWith('pulumi:')) return undefined;
  return { urn, type, name: resourceName(urn) };
}

/** The engine blames the author of a process that was killed. The process's last output follows the message. */
const PLUGIN_ENDED =
  /^(?:Detected that \S+ exited prematurely[\s\S]*?(?:streams of the plugin:([\s\S]*))?|error reading from server: EOF)$/;

/** Removes the engine's colours and the text that it wraps around a provider's reasons. */
function readMessage(message: string): Pick<EngineFailure, 'message' | 'property'> {
  const plain = message.replaceAll(/<\{%[^%]*%\}>/g, '').trim();
  const ended = PLUGIN_ENDED.exec(plain);
  if (ended)
    return {
      message: [`its provider or its program ended in the middle; ${RESUME_HINT}`, ended[1]?.trim() ?? '']
        .join('\n')
        .trim(),
    };
  const refused = parseRefusedProperty(plain);
  if (refused !== undefined) return refused;
  const serialized = /^(?:error serializing property "[^"]*": )+([\s\S]*)$/.exec(plain)?.[1];
  if (serialized !== undefined) return { message: serialized };
  const reasons = /^\d+ errors? occurred:\n([\s\S]*)$/.exec(plain)?.[1];
  return { message: reasons === undefined ? plain : reasons.replaceAll(/^[ \t]*\* /gm, '').trim() };
}

/**
 * `TYPE resource 'NAME': property X value {…} has a problem: WHY` → `X: WHY`; the value may be long and hold anything.
 */
function parseRefusedProperty(message: string): Required<Pick<EngineFailure, 'message' | 'property'>> | undefined {
  const [before, problem] = ["': property ", ' has a problem: '] as const;
  const [begin, end] = [message.indexOf(before), message.lastIndexOf(problem)];
  if (begin < 0 || end < begin || !/^\S+ resource '/.test(message)) return undefined;
  const [property = '', value] = message.slice(begin + before.length, end).split(' ', 2);
  if (value !== 'value') return undefined;
  return { property, message: `${property}: ${message.slice(end + problem.length)}` };
}
