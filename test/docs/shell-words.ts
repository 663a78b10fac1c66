/** A simple command of a shell: `GH_TOKEN=x npx davit check`. */
export interface SimpleCommand {
  /** The command without the variables before it. */
  readonly text: string;
  readonly words: readonly string[];
}

/** Splits a line at `&&`, `||`, `|` and `;`. Commands in `$(…)` come as well. */
export function splitCommands(line: string): readonly SimpleCommand[] {
  const commands: SimpleCommand[] = [];
  for (const inner of line.matchAll(/\$\(([^()]+)\)/g)) commands.push(...splitCommands(inner[1] ?? ''));
  let words: string[] = [];
  let start = 0;
  const end = (at: number) => {
    if (words.length > 0) commands.push({ text: line.slice(start, at).trim(), words });
    words = [];
  };
  let i = 0;
  while (i < line.length) {
    const operator = /^(?:&&|\|\||[|;])/.exec(line.slice(i))?.[0];
    if (operator !== undefined) {
      end(i);
      i += operator.length;
      start = i;
    } else if (/\s/.test(line[i] ?? '')) i += 1;
    else {
      const { word, next } = readWord(line, i);
      if (words.length === 0 && /^[A-Z_]+=/.test(word)) start = next;
      else words.push(word);
      i = next;
    }
  }
  end(line.length);
  return commands;
}

function readWord(line: string, from: number) {
  let word = '';
  let quote = '';
  let i = from;
  for (; i < line.length; i++) {
    const character = line[i] ?? '';
    if (quote !== '') {
      if (character === quote) quote = '';
      else word += character;
    } else if (character === '"' || character === "'") quote = character;
    else if (line.startsWith('$(', i)) {
      const close = line.indexOf(')', i);
      word += line.slice(i, close + 1);
      i = close;
    } else if (/[\s|;&]/.test(character)) break;
    else word += character;
  }
  return { word, next: i };
}
