import type { Readable } from 'node:stream';

/** Longer lines are cut, because a model can print a whole matrix on one line. */
const MAX_CHARACTERS = 16_384;

/** Calls `hear` with each line of a stream, without its newline. The last line needs no newline. */
export function forEachLine(
  stream: Readable,
  hear: (line: string) => void,
  { maxCharacters = MAX_CHARACTERS }: { readonly maxCharacters?: number } = {},
): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    if (!text.includes('\n')) {
      rest = (rest + text).slice(0, maxCharacters); // without another look at a long line of which a piece arrives
      return;
    }
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, maxCharacters);
    for (const line of lines) hear(line.slice(0, maxCharacters));
  });
  stream.on('end', () => {
    if (rest !== '') hear(rest);
  });
}
