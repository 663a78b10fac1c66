/** The authenticated caller of a request. */
export interface Caller {
  readonly name: string;
  readonly kind: 'user' | 'service_principal';
  readonly groups: readonly string[];
}
