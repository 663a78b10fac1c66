import type { Client } from './client.ts';
import type { Capabilities, ServingAccess } from './conformance-target.ts';

/** The values that every part of the suite gets. */
export interface SuiteContext {
  readonly given: () => ServingAccess;
  readonly client: Client;
  readonly capabilities: Capabilities;
}
