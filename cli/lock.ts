import { join } from 'node:path';
import type { Diagnostic } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import { renderLock } from '../schemas/lock/lock.ts';
import { lockFile, readLock } from '../schemas/read-declared.ts';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { named } from '../system/progress.ts';
import { machineWidth, sideBySide } from '../system/side-by-side.ts';
import { lockEndpoint, type LockResult } from '../validation/lock-endpoint.ts';
import type { Command, Context, Outcome } from './command.ts';
import { ENDPOINTS_OPTION, projectPlace, selectEndpoints } from './select-endpoints.ts';

export const lock: Command = {
  summary: "Resolve the models' requirements and freeze them in endpoints/NAME.lock",
  usage: '[NAME…]',
  help: 'Only what is new or changed is resolved again, and versions that still fit stay.',
  options: {
    ...ENDPOINTS_OPTION,
    upgrade: { type: 'boolean', help: 'Resolve everything again, to the newest versions that fit' },
  },
  args: { min: 0, max: Infinity },
  run: runLock,
};

async function runLock(context: Context): Promise<Outcome> {
  const { endpoints, diagnostics } = await selectEndpoints(context);
  const locked = await sideBySide(endpoints, machineWidth(), (endpoint) => lockOne(endpoint, context));
  return {
    diagnostics: [...diagnostics, ...locked.flatMap((l) => l.diagnostics)],
    result: {
      locks: locked.map(({ file, written, result }) => ({ file, written, entities: result.entities })),
    },
    text: locked.map(renderLocked).join('\n'),
  };
}

interface Locked {
  readonly file: string;
  readonly written: boolean;
  readonly result: LockResult;
  readonly diagnostics: readonly Diagnostic[];
}

async function lockOne(endpoint: Endpoint, context: Context): Promise<Locked> {
  const place = projectPlace(context);
  const file = lockFile(place, endpoint.name);
  // An unreadable lock is made again.
  const current = (await readLock(place, endpoint.name)).value;
  const result = await lockEndpoint(endpoint, {
    root: context.root,
    current,
    upgrade: context.options['upgrade'] === true,
    progress: named(context.progress, endpoint.name),
    signal: context.signal,
  });
  const written = result.lock !== undefined && result.changed;
  if (result.lock && written) await writeFileAtomically(join(context.root, file), renderLock(result.lock));
  return { file, written, result, diagnostics: result.diagnostics };
}

function renderLocked({ file, written, result }: Locked): string {
  if (!result.lock) return `${file}: not written`;
  const packages = Object.values(result.lock.virtualenvs).map(
    (v) => `${v.packages.length} packages for Python ${v.python}`,
  );
  return `${file}: ${written ? 'written' : 'up to date'} (${packages.join(', ')})`;
}
