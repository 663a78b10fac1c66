import { Readable, type Writable } from 'node:stream';
import { type ModelLoading, parseModelLoading } from '../../schemas/endpoint/worker-mode.ts';
import { forEachLine } from '../../system/for-each-line.ts';
import { parseJsonFields } from '../../system/parse-json-fields.ts';

/** File descriptor of a model server's events, separate from the output that the model can write to. */
export const EVENTS_FD = 4;

export interface ReadyEvent {
  readonly event: 'ready';
  /** Undefined: the server listens on a socket file. */
  readonly port: number | undefined;
  readonly workers: number | undefined;
  readonly loading: ModelLoading | undefined;
  /** How long a request may wait in the queue and for other predictions, in seconds. Undefined: an older server. */
  readonly longestWait: number | undefined;
}

export interface FailedEvent {
  readonly event: 'failed';
  /** The stage that failed: `import`, `load`, `predict` … */
  readonly stage: string;
  /** One sentence. */
  readonly message: string;
  /** Trace lines of the model's code. Empty: not known. */
  readonly trace: readonly string[];
}

export type ServerEvent = ReadyEvent | FailedEvent;

const EVENT_CHARACTERS = 1 << 20;

/** Calls `hear` with each event of a model server. `stream` comes from the child's `stdio`. */
export function eachServerEvent(
  stream: Readable | Writable | null | undefined,
  hear: (event: ServerEvent) => void,
): void {
  if (!(stream instanceof Readable)) return; // the program did not start
  stream.on('error', () => undefined); // the server was killed
  forEachLine(
    stream,
    (line) => {
      const event = parseServerEvent(line);
      if (event) hear(event);
    },
    { maxCharacters: EVENT_CHARACTERS },
  );
}

/** Parses an event. Returns undefined for any other line. */
export function parseServerEvent(line: string): ServerEvent | undefined {
  const fields = parseJsonFields(line);
  if (fields['event'] === 'ready')
    return {
      event: 'ready',
      port: parseNumber(fields['port']),
      workers: parseNumber(fields['workers']),
      loading: parseModelLoading(fields),
      longestWait: parseNumber(fields['longest_wait']),
    };
  if (fields['event'] !== 'failed') return undefined;
  const { stage, message, trace } = fields;
  return {
    event: 'failed',
    stage: typeof stage === 'string' ? stage : 'start',
    message: typeof message === 'string' ? message : 'The model server failed',
    trace: typeof trace === 'string' && trace.trim() !== '' ? trace.trim().split('\n') : [],
  };
}

function parseNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
