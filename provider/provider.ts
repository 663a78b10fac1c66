/** A resource provider: plain async functions on plain objects, one set per resource type. */
export interface Provider {
  readonly version: string;
  /** Takes the configuration that the program gave this provider; called once, before any resource. */
  configure?(config: Readonly<Record<string, string>>): void;
  /** The settings whose change means another place, where everything is to be made again; default: none. */
  replaces?(before: Configuration, after: Configuration): readonly string[];
  /** By type token, `davit:local:Revision`; or a function, where there are more types than could be listed. */
  readonly resources:
    | Readonly<Record<string, ResourceType<object, object>>>
    | ((type: string) => ResourceType<object, object> | undefined);
}

/** What a program says to a provider; at preview a value may be the engine's marker for what is not known yet. */
type Configuration = Readonly<Record<string, unknown>>;

/** What one type of resource can do. `Inputs` come from the program, `Outputs` are what the engine remembers. */
export interface ResourceType<Inputs extends object, Outputs extends object> {
  /**
   * Completes the inputs or refuses them; default: takes them as they are. At preview a value that only the update will
   * know is the engine's own marker, a text.
   */
  check?(request: CheckRequest<Inputs>): Checked<Inputs> | Promise<Checked<Inputs>>;
  /** What of the inputs is compared with those of the last update; default: everything. */
  comparable?(inputs: Inputs): object | Promise<object>;
  /** Whether a change at this property path (`entities[0].name`) needs a new resource; default: never. */
  replaces?(path: string, before: Inputs, after: Inputs): boolean;
  /** Whether the old one is deleted first when it is replaced; default: the new one is made first. */
  deletesFirst?(before: Inputs, after: Inputs): boolean;
  /** Makes it. At preview (`context.preview`) touches nothing, and its outputs may be partial. */
  create(request: CreateRequest<Inputs>, context: Context): Promise<Created<Outputs>>;
  /** Changes it in place. Same rule at preview. */
  update(request: UpdateRequest<Inputs, Outputs>, context: Context): Promise<Outputs>;
  /** Looks at the real thing; undefined: it is gone. `inputs` are empty when the user imports it. */
  read(request: ExistingRequest<Inputs, Outputs>, context: Context): Promise<Found<Inputs, Outputs> | undefined>;
  /** Removes it; one that is gone already is fine. */
  delete(request: ExistingRequest<Inputs, Outputs>, context: Context): Promise<void>;
}

export interface CheckRequest<Inputs> {
  readonly name: string;
  readonly inputs: Inputs;
  /** The inputs of the last update; undefined: it is new. */
  readonly oldInputs: Inputs | undefined;
  /** For a name that the program leaves open: the same at preview and update. */
  readonly randomSeed: Uint8Array;
  /** What the project's `pulumi:autonaming` says of such a name. */
  readonly autonaming: Autonaming | undefined;
}

export interface Autonaming {
  readonly disabled: boolean;
  /** Empty: the provider's own. */
  readonly proposedName: string;
}

export interface Checked<Inputs> {
  readonly inputs: Inputs;
  readonly failures?: readonly CheckFailure[];
}

export interface CheckFailure {
  /** Property path of the input that is wrong. */
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
  /** Property paths at which the inputs are the old ones, whatever the program says. */
  readonly ignoreChanges: readonly string[];
}

export interface ExistingRequest<Inputs, Outputs> {
  readonly urn: string;
  readonly name: string;
  readonly id: string;
  readonly inputs: Inputs;
  readonly outputs: Outputs;
}

export interface Created<Outputs> {
  readonly id: string;
  readonly outputs: Outputs;
}

export interface Found<Inputs, Outputs> {
  readonly inputs: Inputs;
  readonly outputs: Outputs;
}

/** What an operation may look at besides its request. */
export interface Context {
  readonly preview: boolean;
  /** Aborts when the user cancels (Ctrl-C) and when the engine is gone; the operation then stops and throws. */
  readonly signal: AbortSignal;
  /** `customTimeouts` of the resource; undefined: none. */
  readonly timeoutSeconds: number | undefined;
  readonly log: Log;
}

/** Lines on the resource, in the engine's output and events. Never a secret. */
export interface Log {
  /** What goes on now; shown while it runs, not kept. */
  readonly progress: (message: string) => void;
  readonly info: (message: string) => void;
  readonly warning: (message: string) => void;
  /** An error said here fails the update; to fail an operation throw instead. */
  readonly error: (message: string) => void;
}
