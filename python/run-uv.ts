import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { maskIndexLogins } from '../schemas/values/index-addresses.ts';
import { maskSecrets } from '../schemas/values/mask-secrets.ts';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { cacheFolder } from '../system/cache.ts';
import { makeChildEnvironment, type ProcessResult, runProcess } from '../system/run-process.ts';
import { findUv, type PythonOptions } from './find-uv.ts';

/** Settings of the user that would start code of packages. uv refuses an option that contradicts a variable. */
const UNSET = Object.fromEntries(
  ['COMPILE_BYTECODE', 'NO_BINARY', 'NO_BINARY_PACKAGE', 'ONLY_BINARY', 'NO_BUILD', 'NO_BUILD_PACKAGE'].map((name) => [
    `UV_${name}`,
    undefined,
  ]),
);

export interface UvOptions extends PythonOptions {
  readonly limitSeconds: number;
  /** Variables of the user that do not hold for this run. */
  readonly without?: readonly string[] | undefined;
  /** Settings for this run, besides those of the user and of the machine, and an empty folder for them. */
  readonly settings?: { readonly folder: string; readonly text: string } | undefined;
}

/**
 * Runs uv to its end. It uses the settings of the user and of the machine, but none of the folder where Davit runs,
 * because that may be a pull request's checkout. Its messages have no credentials of an index, because they become
 * diagnostics; its standard output has addresses as they are.
 */
export async function runUv(
  args: readonly string[],
  { progress, signal, limitSeconds, settings, without = [] }: UvOptions,
): Promise<ProcessResult> {
  const uv = await findUv({ ...(progress && { progress }), signal });
  const folder = settings?.folder ?? cacheFolder('neutral');
  const text = `${settings?.text ?? ''}\n`;
  await writeSettings(folder, text);
  const run = await runProcess(uv, args, {
    cwd: folder,
    env: makeChildEnvironment({
      ...{ UV_NO_PROGRESS: '1', ...UNSET },
      ...Object.fromEntries(without.map((name) => [name, undefined])),
      ...(settings && (await addToUserFile(folder, text))),
    }),
    limitSeconds,
    ...(signal && { signal }),
  });
  refuseUsage(run.stderr);
  return { ...run, stderr: maskSecrets(maskIndexLogins(run.stderr, process.env)) };
}

/** uv repeats a wrong value, which may contain a password: `error: invalid value 'VALUE' for '--index <INDEX>': WHY`. */
function refuseUsage(stderr: string): void {
  const line = stderr.split('\n').find((each) => each.startsWith("error: invalid value '"));
  const at = line?.lastIndexOf(" for '--") ?? -1;
  if (line !== undefined && at >= 0) {
    const [named = '', why = ''] = line.slice(at + " for '--".length).split("'");
    const [option = ''] = named.split(' ');
    const variable = `UV_${option.toUpperCase().replaceAll('-', '_')}`;
    const expected = ADDRESS_OPTIONS.includes(option) ? `, expected ${EXPECTED_ADDRESS}` : '';
    const reason = why === '' ? '' : ` (${why.replace(/^: /, '')})`;
    throw new Error(`Cannot run uv: it rejects the value of ${variable}${reason}${expected}`);
  }
  if (/^Usage: uv/m.test(stderr))
    throw new Error(`Cannot run uv: ${maskSecrets(maskIndexLogins(stderr, process.env)).trim().split('\n')[0] ?? ''}`);
}

const ADDRESS_OPTIONS = ['default-index', 'index', 'index-url', 'extra-index-url', 'find-links'];
const EXPECTED_ADDRESS =
  'an address whose user and password have %2F for "/", %40 for "@", %3A for ":", %3F for "?" and %23 for "#"';

/** Both files end uv's search for settings and workspaces in the folders above. */
async function writeSettings(folder: string, text: string): Promise<void> {
  for (const [name, content] of Object.entries({ 'pyproject.toml': '[tool.uv.workspace]\n', 'uv.toml': text })) {
    const file = join(folder, name);
    if ((await readFile(file, 'utf8').catch(() => '')) !== content) await writeFileAtomically(file, content);
  }
}

/** With these variables of the user, uv reads no settings from its working folder. */
async function addToUserFile(folder: string, text: string): Promise<NodeJS.ProcessEnv> {
  const { UV_CONFIG_FILE: file, UV_NO_CONFIG: none } = process.env;
  if (!file && !none) return {};
  const own = file && !none ? `${await readFile(file, 'utf8')}\n` : '';
  const merged = join(folder, 'settings.toml');
  await writeFileAtomically(merged, own + text);
  return { UV_CONFIG_FILE: merged, UV_NO_CONFIG: undefined };
}
