import type { Readable } from 'node:stream';

/** A line longer than this is cut: a model may print a whole matrix. */
const MAX_CHARACTERS = 16_384;

/** Calls `hear` with each line of a stream, without its end; the last one also when it has none. */
export function eachLine(
  stream: Readable,
  hear: (line: string) => void,
  { maxCharacters = MAX_CHARACTERS }: { readonly maxCharacters?: number } = {},
): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, maxCharacters);
    for (const line of lines) hear(line.slice(0, maxCharacters));
  });
  stream.on('end', () => {
    if (rest !== '') hear(rest);
  });
}
