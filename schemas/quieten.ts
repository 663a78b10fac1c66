/** Colours and cursor movements of a terminal (ECMA-48), also those that name a window or a link. */
const ESCAPES = /\u{1b}(?:\[[0-?]*[ -/]*[@-~]|\][^\u{7}\u{1b}]*(?:\u{7}|\u{1b}\\)?|[@-Z\\^_])/gu;

/** A text that a model or a file may have made, fit to be shown: nothing in it commands a terminal or GitHub's log. */
export function quieten(text: string): string {
  return (
    text
      .replaceAll(ESCAPES, '')
      .replaceAll(/\r\n?/g, '\n')
      .replaceAll(/[[\p{Cc}\p{Bidi_Control}]--[\t\n]]/gv, '\ufffd')
      // `::error file=…::` at the beginning of a line, and the older `##[error]` anywhere.
      .replaceAll(/^(\s*):(?=:)/gm, '$1: ')
      .replaceAll('##[', '## [')
  );
}
