import { getMultilineInput } from '@actions/core';

export interface Inputs {
  /** Files and folders to check; none: the project's own. */
  readonly paths: readonly string[];
}

/** The one place that reads the action's inputs. */
export function readInputs(): Inputs {
  return { paths: getMultilineInput('paths') };
}
