/** A resource provider: plain async functions on plain objects, one set per resource type. */
export interface Provider {
  readonly version: string;
  /** Receives the program's configuration for this provider. The engine calls it once, before any resource. */
  configure?(config: Readonly<Record<string, string>>): void;
  /** Lists the changed settings that replace the provider and all its resources. Default: none. */
  replaces?(before: Configuration, after: Configuration): readonly string[];
  /** Resource types by type token (`davit:local:Revision`), or a function if there are too many types to list. */
  readonly resources:
    | Readonly<Record<string, ResourceType<object, object>>>
    | ((type: string) => ResourceType<object, object> | undefined);
}

/** A program's configuration for a provider. In a preview a value can be the engine's marker for an unknown value. */
type Configuration = Readonly<Record<string, unknown>>;

/** The operations of one resource type. `Inputs` come from the program. The engine stores `Outputs` in the state. */
export interface ResourceType<Inputs extends object, Outputs extends object> {
  /**
   * Completes or refuses the inputs. Default: accepts them unchanged. In a preview, a value that is known only after
   * the update is the engine's marker, a string.
   */
  check?(request: CheckRequest<Inputs>): CheckResult<Inputs> | Promise<CheckResult<Inputs>>;
  /** The part of the inputs to compare with the last update. Default: all inputs. */
  comparable?(inputs: Inputs): object | Promise<object>;
  /** Whether a change at this property path (`entities[0].name`) replaces the resource. Default: never. */
  replaces?(path: string, before: Inputs, after: Inputs): boolean;
  /** Whether a replacement deletes the old resource before it makes the new one. Default: the new one is made first. */
  deletesFirst?(before: Inputs, after: Inputs): boolean;
  /** Creates the resource. In a preview (`context.preview`) changes nothing, and its outputs can be partial. */
  create(request: CreateRequest<Inputs>, context: Context): Promise<CreateResult<Outputs>>;
  /** Updates the resource in place. The same rule applies in a preview. */
  update(request: UpdateRequest<Inputs, Outputs>, context: Context): Promise<Outputs>;
  /** Reads the actual resource. Undefined: it no longer exists. `inputs` is empty in an import. */
  read(
    request: ExistingRequest<Inputs, Outputs>,
    context: Context,
  ): Promise<ResourceReadResult<Inputs, Outputs> | undefined>;
  /** Deletes the resource. Succeeds if it no longer exists. */
  delete(request: ExistingRequest<Inputs, Outputs>, context: Context): Promise<void>;
}

export interface CheckRequest<Inputs> {
  readonly name: string;
  readonly inputs: Inputs;
  /** The inputs of the last update. Undefined: the resource is new. */
  readonly oldInputs: Inputs | undefined;
  /** Seed for a generated name, so that preview and update generate the same name. */
  readonly randomSeed: Uint8Array;
  /** The project's `pulumi:autonaming` setting for generated names. */
  readonly autonaming: Autonaming | undefined;
}

export interface Autonaming {
  readonly disabled: boolean;
  /** Empty: the provider chooses the name. */
  readonly proposedName: string;
}

export interface CheckResult<Inputs> {
  readonly inputs: Inputs;
  readonly failures?: readonly CheckFailure[];
}

export interface CheckFailure {
  /** Property path of the invalid input. */
  readonly property: string;
  readonly reason: string;
}

export interface CreateRequest<Inputs> {
  readonly urn: string;
  readonly name: string;
  readonly inputs: Inputs;
}

export interface UpdateRequest<Inputs, Outputs> extends CreateRequest<Inputs> {
  readonly id: string;
  readonly oldInputs: Inputs;
  readonly oldOutputs: Outputs;
  /** Property paths that keep their old inputs, whatever the program declares. */
  readonly ignoreChanges: readonly string[];
}

export interface ExistingRequest<Inputs, Outputs> {
  readonly urn: string;
  readonly name: string;
  readonly id: string;
  readonly inputs: Inputs;
  readonly outputs: Outputs;
}

export interface CreateResult<Outputs> {
  readonly id: string;
  readonly outputs: Outputs;
}

export interface ResourceReadResult<Inputs, Outputs> {
  readonly inputs: Inputs;
  readonly outputs: Outputs;
}

/** The context of an operation, besides its request. */
export interface Context {
  readonly preview: boolean;
  /** Aborts when the user cancels (Ctrl-C) or the engine ends. The operation must then stop and throw. */
  readonly signal: AbortSignal;
  /** `customTimeouts` of the resource; undefined: none. */
  readonly timeoutSeconds: number | undefined;
  readonly log: Log;
}

/** Writes lines about the resource to the engine's output and events. A line never contains a secret. */
export interface Log {
  /** Current progress. Shown during the operation, not stored. */
  readonly progress: (message: string) => void;
  readonly info: (message: string) => void;
  readonly warning: (message: string) => void;
  /** Fails the update. To fail only the operation, throw instead. */
  readonly error: (message: string) => void;
}
