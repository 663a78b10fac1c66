/**
 * Thrown by create, update or read when the resource exists but is not ready. The engine keeps the resource in the
 * state, with the reasons.
 */
export class InitFailed extends Error {
  readonly id: string;
  readonly outputs: object;
  readonly reasons: readonly string[];
  /** The inputs that `read` found. Undefined: those of the request. */
  readonly inputs: object | undefined;

  constructor(id: string, outputs: object, reasons: readonly string[], inputs?: object) {
    super(reasons.join('; '));
    this.name = 'InitFailed';
    this.id = id;
    this.outputs = outputs;
    this.reasons = reasons;
    this.inputs = inputs;
  }
}
