/** Thrown when a model server does not start, or ends while serving. `stage` is the stage that failed. */
export class ServerFailed extends Error {
  readonly stage: string;
  readonly log: readonly string[];

  constructor(stage: string, message: string, log: readonly string[] = []) {
    super(message);
    this.name = 'ServerFailed';
    this.stage = stage;
    this.log = log;
  }
}

/** Thrown when a request did not reach a worker, so that it is safe to resend. */
export class NotStarted extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NotStarted';
  }
}
