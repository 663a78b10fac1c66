/** As much as is known of every object of Kubernetes; the rest is for who knows its kind. */
export interface ClusterObject {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly generation?: number;
    /** Who wrote what, and when. */
    readonly managedFields?: readonly { readonly time?: string }[];
  };
}
