import type { Client } from './client.ts';
import type { Capabilities, Given } from './conformance-target.ts';

/** What every part of the suite gets. */
export interface Parts {
  readonly given: () => Given;
  readonly client: Client;
  readonly capabilities: Capabilities;
}
