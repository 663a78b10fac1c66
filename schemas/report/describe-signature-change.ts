import type { SignatureChange } from './comparison.ts';

const EFFECTS = {
  rounds: ' (MLflow may round the numbers that clients send)',
  alters: ' (MLflow changes the values that clients send)',
  fails: ' (MLflow may refuse what clients send)',
} as const;

const PARTS = { inputs: 'input', outputs: 'output', params: 'parameter' } as const;

/** A change of a signature as a phrase; `quote` renders its names and types: `input "x" (double) is added and required`. */
export function describeSignatureChange(change: SignatureChange, quote: (text: string) => string): string {
  const { part, name, old, new: now, breaks } = change;
  const what = name === '' ? `the signature's ${part}` : `${PARTS[part]} ${quote(name)}`;
  const be = name === '' ? 'are' : 'is';
  switch (change.change) {
    case 'added':
      return `${what} (${quote(now ?? '')}) ${be} added${breaks && part !== 'outputs' ? ' and required' : ''}`;
    case 'removed':
      return `${what} (${quote(old ?? '')}) ${be} removed`;
    case 'retyped':
      return `${what} ${name === '' ? 'change' : 'changes'} from ${quote(old ?? '')} to ${quote(now ?? '')}${change.effect ? EFFECTS[change.effect] : ''}`;
    case 'required':
    case 'optional':
      return `${what} becomes ${change.change}`;
    case 'default':
      return `the default of ${what} changes from ${quote(old ?? '')} to ${quote(now ?? '')}`;
  }
}

/** `60%`, `0.5%`, `<0.01%` */
export function renderShare(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (part / whole) * 100;
  if (percent > 0 && percent < 0.01) return '<0.01%';
  const rounded = Math.round(percent * 100) / 100;
  return `${rounded === 100 && part < whole ? '>99.99' : rounded}%`;
}
