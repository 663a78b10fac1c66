/** Who asks, once a token has said so. */
export interface Caller {
  readonly name: string;
  readonly kind: 'user' | 'service_principal';
  readonly groups: readonly string[];
}
