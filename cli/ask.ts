import { createInterface } from 'node:readline';
import { UsageError } from './command.ts';

/** Asks a person at a terminal, one question after the other. */
export interface Questions {
  /** An empty line is the default. */
  readonly ask: (question: string, otherwise: string) => Promise<string>;
  readonly close: () => void;
}

/** Opens the terminal for questions. Undefined: nobody is at a terminal, so that options and defaults answer. */
export function openQuestions(): Questions | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  lines.on('SIGINT', () => lines.close()); // the terminal sends Ctrl-C as a key
  const answers = lines[Symbol.asyncIterator](); // keeps lines that are pasted together
  return {
    ask: async (question, otherwise) => {
      lines.setPrompt(`${question}${otherwise === '' ? '' : ` [${otherwise}]`}: `);
      lines.prompt();
      const { done, value } = await answers.next();
      if (done === true) throw new UsageError('Stopped before all questions were answered; nothing was changed');
      return value.trim() === '' ? otherwise : value.trim();
    },
    close: () => lines.close(),
  };
}
