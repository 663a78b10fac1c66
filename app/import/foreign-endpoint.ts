import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { SourceNode } from './source-node.ts';

/** An endpoint of a foreign file, in the words of a create body. Permissions are beside it, as in a bundle. */
export interface ForeignEndpoint {
  /** Its name in the file: the key in a bundle, the label in Terraform. Names the endpoint if its own name is unknown. */
  readonly key: string;
  readonly body: SourceNode;
}

export interface ForeignFile {
  readonly endpoints: readonly ForeignEndpoint[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What the user gives beside the files. */
export interface ImportValues {
  /** Values of variables, by name. They override every other value. */
  readonly variables: ReadonlyMap<string, string>;
  /** Files with values of Terraform's variables; absolute paths. A later one overrides an earlier one. */
  readonly valueFiles: readonly string[];
  /** The target of a bundle whose values apply. */
  readonly target: string | undefined;
}
