/** The fields that every Kubernetes object has; each reader adds the fields of its kind. */
export interface ClusterObject {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly generation?: number;
    /** Each writer, with the time of its last write. */
    readonly managedFields?: readonly { readonly time?: string }[];
  };
}
