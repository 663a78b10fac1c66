/** The virtualenv cannot be made, and the user can fix the cause. `kind` is the code of the diagnostic. */
export class VirtualenvError extends Error {
  readonly kind: 'python-unavailable' | 'install-failed' | 'incompatible-packages';
  readonly hint: string | undefined;
  constructor(kind: VirtualenvError['kind'], message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
  }
}
