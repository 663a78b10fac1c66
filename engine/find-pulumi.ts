/** The Pulumi engine to use. */
export interface PulumiEngine {
  /** Absolute path of the `pulumi` command. */
  readonly command: string;
  /** `3.225.0` */
  readonly version: string;
  /** Where it came from. */
  readonly source: 'path' | 'download' | 'build';
}
