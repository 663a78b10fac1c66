import type { World } from './world.ts';

export interface FakeCall {
  readonly world: World;
  /** Who asks. */
  readonly login: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Its shape is checked already. */
  readonly body: unknown;
  /** GitHub's own example of the answer, to fill in what the fake does not know. */
  readonly example: unknown;
}
