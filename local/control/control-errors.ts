import type { ControlError } from './control-protocol.ts';

/** Thrown when the supervisor refuses a request, with the reason. */
export class ControlRefused extends Error {
  readonly error: ControlError;

  constructor(error: ControlError) {
    super(error.message);
    this.name = 'ControlRefused';
    this.error = error;
  }
}

/** Thrown when no supervisor runs, or it ended before it responded. */
export class SupervisorGone extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SupervisorGone';
  }
}

/** Thrown when a running supervisor does not respond. */
export class SupervisorHangs extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SupervisorHangs';
  }
}
