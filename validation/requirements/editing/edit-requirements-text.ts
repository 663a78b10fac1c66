import { removeComment } from '../../../python/remove-comment.ts';
import { planListEdit, type RequirementsEdit } from './plan-list-edit.ts';

/** A requirement or an option, over as many lines as backslashes join. */
interface LogicalLine {
  readonly text: string;
  readonly content: string;
  /** From the `#` on. */
  readonly comment: string;
}

/** Edits the text of a requirements file. Comments, options, line breaks and the order of the requirements stay. */
export function editRequirementsText(text: string, edit: RequirementsEdit): string {
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = joinLines(text);
  const plan = planListEdit(
    lines.map((line) => line.content),
    edit,
  );
  const kept = lines
    .map(({ text: line, comment }, i) => {
      const replacement = plan.replaced.get(i);
      return replacement === undefined ? line : `${replacement}${comment && `  ${comment}`}`;
    })
    .filter((_, i) => !plan.removed.has(i));
  // The last line of a file with a line break at its end is empty.
  const end = kept.at(-1) === '' ? [kept.pop() ?? ''] : [];
  return [...kept, ...plan.appended, ...end].join(lineBreak);
}

function joinLines(text: string): readonly LogicalLine[] {
  const lines: LogicalLine[] = [];
  let held: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    held.push(line);
    if (removeComment(line).endsWith('\\')) continue;
    lines.push(makeLogicalLine(held));
    held = [];
  }
  if (held.length > 0) lines.push(makeLogicalLine(held));
  return lines;
}

function makeLogicalLine(lines: readonly string[]): LogicalLine {
  const contents = lines.map((line) => removeComment(line).replace(/\\$/, ''));
  const [last, content] = [lines.at(-1) ?? '', contents.join(' ').trim()];
  const comment = content === '' ? '' : last.slice(removeComment(last).length).trim();
  return { text: lines.join('\n'), content, comment };
}
