import { maskSecrets } from '../../schemas/values/mask-secrets.ts';
import type { Requirement } from './parse-requirements.ts';
import type { UnusableWheel } from './read-wheel.ts';

const NO_CONNECTION =
  /network was disabled|failed to fetch|error sending request|dns error|request failed|connection refused|timed? ?out|failed to download|status/i;

/** Explains why uv cannot read the wheel of a requirement that has an address, or a path in the model. */
export function explainUnreadableWheel(
  { source = '', name }: Pick<Requirement, 'source' | 'name'>,
  message: string,
  { why, python }: { readonly why: string; readonly python: string },
): UnusableWheel {
  const file = source.split(/[?#]/)[0]?.split('/').at(-1) ?? '';
  if (/hash mismatch|hash digest/i.test(message))
    return {
      why: `the wheel of ${name} is not the one of its hash in ${maskSecrets(source)}`,
      hint: 'Write the hash of the file that the model was tested with, or leave out #sha256=',
      isWhole: true,
    };
  if (/^https:/i.test(source) && NO_CONNECTION.test(message)) {
    const { host } = new URL(source);
    return {
      why: `the wheel of ${name} cannot be downloaded from ${host}: ${explainConnection(message)}`,
      hint: 'Check the address. If it is right, check the network and run the same command again, or log the model with that wheel in code_paths',
      isWhole: true,
    };
  }
  if (/no wheels with a matching|not compatible|incompatible/i.test(message))
    return {
      why: `the wheel ${file} is for another Python or platform, expected one for Python ${python} on Linux (x86_64)`,
      hint: 'Build it with that Python on Linux',
      isWhole: true,
    };
  if (
    /invalid package format|invalid zip|not a valid|end of central directory|unexpected end|wheel filename/i.test(
      message,
    )
  )
    return {
      why: `${file} is not a wheel that can be read`,
      hint: 'If Git LFS stores it, run git lfs pull. Else build it again, with the name that the build gives it',
      isWhole: true,
    };
  return { why };
}

function explainConnection(message: string): string {
  const status = /\((\d{3}) ([A-Za-z ]+)\)/.exec(message);
  if (status) return `it answers ${status[1] ?? ''} ${status[2] ?? ''}`;
  if (/dns error|resolving DNS|lookup address/i.test(message)) return 'no server has this name';
  if (/network was disabled/i.test(message)) return 'UV_OFFLINE is set';
  if (/timed? ?out/i.test(message)) return 'it does not answer in time';
  return 'it does not accept a connection';
}
