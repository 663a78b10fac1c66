import type { ControlError } from './control-protocol.ts';

/** Thrown when the supervisor refuses what it is asked, with the reason. */
export class ControlRefused extends Error {
  readonly error: ControlError;

  constructor(error: ControlError) {
    super(error.message);
    this.name = 'ControlRefused';
    this.error = error;
  }
}

/** Thrown when there is no supervisor to ask, or it went away before it had answered. */
export class SupervisorGone extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SupervisorGone';
  }
}
