import type { World } from './world.ts';

export interface FakeCall {
  readonly world: World;
  /** The login of the caller. */
  readonly login: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The request's body, which already matches GitHub's schema. */
  readonly body: unknown;
  /** GitHub's own example of the response. It supplies the fields that the fake does not have. */
  readonly example: unknown;
}
