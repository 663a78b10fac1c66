import type { ObjectClient } from './object-client.ts';
import type { Settings } from './settings.ts';

/** The cluster that a provider works on. */
export interface Place {
  readonly client: ObjectClient;
  readonly settings: () => Settings;
  /** Of objects that name none: the program's, else the kubeconfig's. */
  readonly namespace: () => Promise<string>;
}
