/** What a reader of GitHub's Markdown takes for ours: the text without its code spans, code blocks and `<code>`. */
export function withoutCode(markdown: string): string {
  return withoutSpans(withoutBlocks(markdown)).replaceAll(/<code>[^<>]*<\/code>/g, '');
}

/** CommonMark 0.31, 4.5: a fence is closed by a line with nothing but as many of its characters, or more. */
function withoutBlocks(markdown: string): string {
  const kept: string[] = [];
  let fence: string | undefined;
  for (const line of markdown.split('\n')) {
    const run = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line);
    if (fence === undefined) {
      if (run && !run[2]!.includes('`')) fence = run[1]!;
      else kept.push(line);
    } else if (run?.[1]?.startsWith(fence) && run[2]!.trim() === '') fence = undefined;
  }
  if (fence !== undefined) throw new Error('A code block is not closed');
  return kept.join('\n');
}

/** CommonMark 0.31, 6.1: a code span ends at the next run of exactly as many backticks. */
function withoutSpans(text: string): string {
  let kept = '';
  let rest = text;
  for (let open = /`+/.exec(rest); open; open = /`+/.exec(rest)) {
    const run = open[0];
    const inside = rest.slice(open.index + run.length);
    const close = [...inside.matchAll(/`+/g)].find(([r]) => r.length === run.length);
    if (!close) throw new Error(`A code span is not closed: ${inside.slice(0, 80)}`);
    const code = inside.slice(0, close.index);
    if (code.includes('\n') || code.includes('|')) throw new Error(`A code span leaves its cell: ${code.slice(0, 80)}`);
    kept += rest.slice(0, open.index);
    rest = inside.slice(close.index + run.length);
  }
  return kept + rest;
}
