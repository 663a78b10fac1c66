/** The stages of an endpoint's way from its file to an answer, in order. */
export const STAGES = [
  'check',
  'fetch',
  'lock',
  'virtualenv',
  'proof',
  'image',
  'schedule',
  'load',
  'predict',
  'route',
] as const;

export type Stage = (typeof STAGES)[number];

/** The page of one diagnostic code: the source of `davit explain CODE` and of `docs/diagnostics/CODE.md`. */
export interface Explanation {
  /** The stage that reports the code. */
  readonly stage: Stage;
  /** What it means, and why Davit does not accept it. */
  readonly means: string;
  readonly example: Example;
  readonly repair: string;
  /** The repair of an example of files: in this file, this text becomes that one. */
  readonly changes?: readonly (readonly [file: string, from: string, to: string])[];
  /** The command that shows that the repair worked, or one for each way. Default: the command of the example. */
  readonly check?: string | readonly string[];
}

/** A broken example and the line that Davit prints about it. */
export interface Example {
  /**
   * Files by path, complete. A test writes them, checks them and expects the code. Files of `models/iris/2/` are added to
   * a good model, and replace those of the same name.
   */
  readonly files?: Readonly<Record<string, string>>;
  /** For what no file shows: code or commands, as they are written. */
  readonly code?: { readonly language: 'python' | 'sh' | 'yaml'; readonly text: string };
  /** The command that reports the code, without `npx`. */
  readonly command: string;
  /** The first line of the diagnostic. */
  readonly says: string;
}

/** The endpoint file of the examples, with lines added to its served entity and to its end. */
export function makeIrisFile(entity: readonly string[] = [], end: readonly string[] = []): string {
  const lines = entity.map((line) => `      ${line}`);
  return [
    'name: iris',
    'config:',
    '  served_entities:',
    '    - entity_name: iris',
    '      entity_version: "2"',
    ...lines,
    ...end,
    '',
  ].join('\n');
}
