import { describe, expect, it } from 'vitest';
import { makeError, renderDiagnostic } from '../../schemas/diagnostic.ts';

const PLACE = { file: 'MLmodel', line: 1, column: 1 };

describe('makeError()', () => {
  it('takes from what a model says all that commands a terminal or the log of GitHub', () => {
    const message =
      'ValueError: \u001b[31mred\u001b[0m \u001b]0;title\u0007\r\n::error file=x::pwned\n##[error]old\u0008 \u202Eback';
    const hint = 'At a.py:1\n  ::add-mask::x\r::stop-commands::y';
    expect(makeError('prediction-failed', PLACE, message, hint)).toEqual({
      code: 'prediction-failed',
      severity: 'error',
      ...PLACE,
      message: 'ValueError: red : :error file=x::pwned ## [error]old\ufffd \ufffdback',
      hint: 'At a.py:1\n  : :add-mask::x\n: :stop-commands::y',
    });
  });
});

describe('renderDiagnostic()', () => {
  it('indents every line of a hint', () => {
    const lines = renderDiagnostic(makeError('bad-yaml', PLACE, 'Cannot', 'one\ntwo')).split('\n');
    expect(lines).toEqual(['MLmodel:1:1 error bad-yaml Cannot', '    one', '    two']);
  });
});
