/** The virtualenv cannot be made for a reason the user can act on. `kind` is the diagnostic's code. */
export class VirtualenvError extends Error {
  readonly kind: 'python-unavailable' | 'install-failed' | 'incompatible-packages';
  readonly hint: string | undefined;
  constructor(kind: VirtualenvError['kind'], message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
  }
}
