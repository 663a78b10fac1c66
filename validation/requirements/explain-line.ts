/** Why a line cannot be installed as it is. */
export interface LineFault {
  /** The end of a sentence about the line: `it has the syntax of conda, expected NAME==VERSION`. */
  readonly why: string;
  readonly hint?: string | undefined;
  /** The requirement to write in place of it. */
  readonly instead?: string | undefined;
}

/**
 * What no requirement may contain: uv reads them from a file, where a control character or a backslash could begin another
 * line, and `${NAME}` becomes the value of an environment variable, also in an address that uv then fetches.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\$]/u;
const VARIABLE = /\$\{?([A-Za-z_][A-Za-z0-9_]*)/;
const EXPECTED = 'expected NAME==VERSION';

/** Explains a character that no requirement may contain. Returns undefined if there is none. */
export function explainUnsafe(line: string): LineFault | undefined {
  const [character] = UNSAFE.exec(line) ?? [];
  if (character === undefined) return undefined;
  const variable = VARIABLE.exec(line)?.[0];
  if (character === '$' && variable !== undefined)
    return {
      why: `it contains the environment variable ${variable}${variable.startsWith('${') ? '}' : ''}, expected its value`,
      hint: 'Variables of the machine that runs Davit never become part of a model',
    };
  if (character === '$') return { why: 'it contains "$"' };
  if (character === '\\') return { why: 'it is a path of Windows, expected a file inside the model' };
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return { why: `it contains the invisible character U+${code}` };
}

/** Explains a line of which not even the name of a package can be read. */
export function explainUnreadable(line: string): LineFault {
  const unsafe = explainUnsafe(line);
  if (unsafe) return unsafe;
  if (/^(?:\.{1,2}(?:\/|$)|[~/])/.test(line))
    return {
      why: 'it is a folder of the machine that logged the model, expected a wheel inside the model',
      hint: 'If it is the code in code_paths, the model has it already: log the model without this line',
    };
  const inner = /^(["'])(.+)\1,?$/.exec(line)?.[2] ?? /^-\s(.+)$/.exec(line)?.[1] ?? /^([^,\s]+),$/.exec(line)?.[1];
  const instead = inner?.trim();
  return { why: EXPECTED, ...(instead !== undefined && { hint: `Write ${instead}` }) };
}
