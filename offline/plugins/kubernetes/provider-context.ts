import type { ObjectClient } from './objects/object-client.ts';
import type { ProviderSettings } from './settings.ts';

/** The cluster of a provider. */
export interface ProviderContext {
  readonly client: ObjectClient;
  readonly settings: () => ProviderSettings;
  /** The namespace for objects that name none: the program's, else the kubeconfig's. */
  readonly namespace: () => Promise<string>;
}
