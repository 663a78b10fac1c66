/** Inputs of `davit:tiny:Thing`, which is the file `FOLDER/NAME.json`. `size` and `labels` change in place. */
export interface ThingInputs {
  readonly folder: string;
  readonly content: string;
  readonly size?: number;
  readonly labels?: readonly string[];
  readonly password?: string;
  /** How making or changing it goes: `refuse` throws, `unready` leaves it not ready, `wait` waits to be cancelled. */
  readonly behave?: 'refuse' | 'unready' | 'wait';
}

export type ThingOutputs = ThingInputs & { readonly path: string };
