/** Terminal escape sequences (ECMA-48): colours, cursor movements, window titles and links. */
const ESCAPES = /\u{1b}(?:\[[0-?]*[ -/]*[@-~]|\][^\u{7}\u{1b}]*(?:\u{7}|\u{1b}\\)?|[@-Z\\^_])/gu;

/** Makes untrusted text safe to print, so that it cannot control the terminal or GitHub's log. */
export function sanitizeText(text: string): string {
  return (
    text
      .replaceAll(ESCAPES, '')
      .replaceAll(/\r\n?/g, '\n')
      .replaceAll(/[[\p{Cc}\p{Bidi_Control}]--[\t\n]]/gv, '\ufffd')
      // GitHub's log commands: `::error file=…::` at the start of a line, and the older `##[error]` anywhere.
      .replaceAll(/^([^\S\n\u2028\u2029]*):(?=:)/gm, '$1: ')
      .replaceAll('##[', '## [')
  );
}
