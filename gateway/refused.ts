import type { Refusal } from './refusal.ts';

/** Thrown where a request ends with an answer of the gateway's own. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(refusal.message, options);
    this.name = 'Refused';
    this.refusal = refusal;
  }
}
