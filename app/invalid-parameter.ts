/** A parameter that cannot be used: wrong usage, found before anything is installed. */
export class InvalidParameterError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'InvalidParameterError';
  }
}
