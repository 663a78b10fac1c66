import { type Check, type CheckedItem, runChecks } from '../../app/doctor/check.ts';
import { MACHINE_CHECKS } from '../../app/doctor/check-machine.ts';
import { listProjectChecks } from '../../app/doctor/check-project.ts';
import { findSandbox } from '../../sandbox/sandbox.ts';
import { sanitizeText } from '../../schemas/values/sanitize-text.ts';
import { type Command, type Context, ENDPOINTS_OPTION, ENVIRONMENT_OPTION, type Outcome } from '../command.ts';
import { NoProjectError } from '../find-project-root.ts';
import { textOption } from '../parse-arguments.ts';
import { projectPlace } from '../request.ts';

const LIMIT_SECONDS = 10;
const SIGNS = { fine: 'ok', warning: 'warn', missing: 'MISSING', skipped: '-' } as const;

export const doctor: Command = {
  summary: 'Show what this machine and this repository have and lack, with the command that fixes it',
  usage: '',
  help: `Changes nothing, and takes at most ${LIMIT_SECONDS} seconds. Exit code 1 if something is\nmissing without which Davit does not work here. Without --env, what an environment lacks is a warning.\n\n  davit doctor\n  davit doctor --env production --json`,
  options: { ...ENDPOINTS_OPTION, ...ENVIRONMENT_OPTION },
  args: { min: 0, max: 0 },
  endsAtOnce: true,
  run: runDoctor,
};

const SANDBOX: Check = {
  name: 'sandbox',
  run: async () => {
    const found = await findSandbox();
    if ('why' in found) return { state: 'missing', found: found.why, repair: found.hint };
    return { state: 'fine', found: 'bubblewrap' };
  },
};

async function runDoctor(context: Context): Promise<Outcome> {
  const items = await runChecks([...MACHINE_CHECKS, SANDBOX, ...(await listOwnChecks(context))], LIMIT_SECONDS);
  return {
    diagnostics: [],
    result: { checks: items },
    text: items.map(renderItem).join('\n'),
    failed: items.some((item) => item.state === 'missing'),
  };
}

/** Outside a project, only the machine is checked. */
async function listOwnChecks(context: Context): Promise<readonly Check[]> {
  try {
    return await listProjectChecks(projectPlace(context), textOption(context.options, 'environment'));
  } catch (e) {
    if (!(e instanceof NoProjectError)) throw e;
    const found = 'none here, so only this machine was checked';
    return [{ name: 'project', run: () => ({ state: 'skipped', found, repair: 'npx davit init' }) }];
  }
}

function renderItem({ name, state, found, repair }: CheckedItem): string {
  const line = `${SIGNS[state].padEnd(7)}  ${name}: ${sanitizeText(found)}`;
  return repair === undefined ? line : `${line}\n           → ${sanitizeText(repair)}`;
}
