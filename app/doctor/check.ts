import { readErrorMessage } from '../../schemas/values/read-error-message.ts';
/** The answer of one check. */
export interface Finding {
  /** `missing`: something does not work without it. `warning`: it works, but not well. `skipped`: not needed here. */
  readonly state: 'fine' | 'warning' | 'missing' | 'skipped';
  readonly found: string;
  /** The command or the page that fixes it. */
  readonly repair?: string;
}

/** One check of `davit doctor`. It changes nothing. */
export interface Check {
  readonly name: string;
  readonly run: () => Finding | Promise<Finding>;
}

export interface CheckedItem extends Finding {
  readonly name: string;
}

/** Runs all checks at the same time. One that fails or takes too long is a finding of its own. */
export async function runChecks(checks: readonly Check[], limitSeconds: number): Promise<readonly CheckedItem[]> {
  return Promise.all(checks.map(async (check) => ({ name: check.name, ...(await runCheck(check, limitSeconds)) })));
}

async function runCheck({ run }: Check, limitSeconds: number): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((done) => {
    const found = `no answer within ${limitSeconds} s`;
    timer = setTimeout(() => done({ state: 'warning', found }), limitSeconds * 1000);
  });
  try {
    return await Promise.race([Promise.resolve().then(run), late]);
  } catch (e) {
    return { state: 'warning', found: readErrorMessage(e).split('\n')[0] ?? '' };
  } finally {
    clearTimeout(timer);
  }
}
