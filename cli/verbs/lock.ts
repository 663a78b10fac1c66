import { type LockedEndpoint, lockEndpoints } from '../../app/lock-endpoints.ts';
import { selectEndpoints } from '../../app/select-endpoints.ts';
import { type Command, type Context, ENDPOINTS_OPTION, type Outcome } from '../command.ts';
import { makeRequest } from '../request.ts';

export const lock: Command = {
  summary: "Resolve the models' requirements and freeze them in endpoints/NAME.lock",
  usage: '[NAME…]',
  help: 'Only what is new or changed is resolved again, and versions that still fit stay.',
  options: {
    ...ENDPOINTS_OPTION,
    upgrade: { type: 'boolean', help: 'Resolve everything again, to the newest versions that fit' },
  },
  args: { min: 0, max: Infinity },
  fillsCache: true,
  run: runLock,
};

async function runLock(context: Context): Promise<Outcome> {
  const request = { ...makeRequest(context), upgrade: context.options['upgrade'] === true };
  const { endpoints, diagnostics } = await selectEndpoints(request.place, context.args);
  const locked = await lockEndpoints(endpoints, request);
  return {
    diagnostics: [...diagnostics, ...locked.flatMap((l) => l.result.diagnostics)],
    result: {
      locks: locked.map(({ file, written, result }) => ({ file, written, entities: result.entities })),
    },
    text: locked.map(renderLocked).join('\n'),
  };
}

function renderLocked({ file, written, result }: LockedEndpoint): string {
  if (!result.lock) return `${file}: not written`;
  const packages = Object.values(result.lock.virtualenvs).map(
    (v) => `${v.packages.length} packages for Python ${v.python}`,
  );
  return `${file}: ${written ? 'written' : 'up to date'} (${packages.join(', ')})`;
}
