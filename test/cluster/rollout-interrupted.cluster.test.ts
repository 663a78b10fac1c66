import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { killProcessTree } from './on-node.ts';
import { requireSuccess, Rollouts } from './rollouts.ts';

let on: Rollouts;

beforeAll(async () => {
  on = await Rollouts.open('interrupted');
  await on.declare({ variables: { VERSION: 'one' } });
  await on.up();
});

afterAll(() => on.close());

test('the second of two concurrent updates is refused with the process of the first', async () => {
  await on.declare({ variables: { VERSION: 'two', LOAD_SECONDS: '5' } });
  await on.underLoad('two updates at once', async () => {
    let second: ReturnType<Rollouts['davit']> | undefined;
    const first = await on.davitHeard(['up', on.endpoint], (text) => {
      if (text.includes('loading the model')) second ??= on.davit('up', on.endpoint);
    });
    requireSuccess(first);
    const refused = await second;
    expect(refused?.code).toBe(3);
    expect(refused?.stderr).toMatch(
      /Cannot change "interrupted\.\w+": it is locked by process \d+ of \w+ on .*; wait until it is done/,
    );
  });
  expect(await on.answer()).toBe('two');
});

interface Stage {
  /** The version to deploy. The next stage continues after a killed one. */
  readonly version: string;
  readonly model: string;
  readonly when: string;
  /** The line of the update's output at which it is killed. */
  readonly sign: RegExp;
}

const STAGES: readonly Stage[] = [
  { version: 'three', model: '3', when: 'it begins', sign: /./ },
  { version: 'three', model: '3', when: 'it proves the model', sign: /Proving/ },
  { version: 'three', model: '3', when: 'it builds the image', sign: /Building/ },
  { version: 'three', model: '3', when: 'it makes the revision', sign: /Configuration [^:]+: creating/ },
  { version: 'four', model: '3', when: 'the revision starts', sign: /loading the model/ },
  { version: 'four', model: '3', when: 'the revision is asked', sign: /requesting a first prediction/ },
  { version: 'five', model: '3', when: 'the route is written', sign: /Route interrupted: updating/ },
  { version: 'six', model: '3', when: 'the route is there', sign: /Route interrupted: updated/ },
  { version: 'six', model: '3', when: 'the old revision is deleted', sign: /Configuration [^:]+: deleting/ },
];

/** Nine updates, with time for a busy machine. */
const KILLS_MILLISECONDS = 900_000;

test(
  'the next update completes an update that was killed, at any stage',
  async () => {
    await appendFile(join(on.root, 'models', 'behaves', '3', 'model.py'), `\n# ${Date.now()}: another image\n`);
    await on.underLoad('updates that are killed', async () => {
      for (const stage of STAGES) expect(await killAt(stage)).toMatchObject({ killed: true, code: null });
    });
    await on.updates('the next update', 'six');
    expect(await on.status()).toMatchObject({ ready: 'READY', configUpdate: 'NOT_UPDATING' });
    expect((await on.status()).entities).toHaveLength(1);
    expect(await on.previews()).toBe('no-change');
    expect(await on.list('configuration')).toHaveLength(1);
  },
  KILLS_MILLISECONDS,
);

test('taking the endpoint down removes the objects of a killed update', async () => {
  const sign = /Configuration [^:]+: creating/;
  expect(await killAt({ version: 'seven', model: '3', when: 'it makes the revision', sign })).toMatchObject({
    killed: true,
  });
  requireSuccess(await on.davit('down', on.endpoint));
  const kinds = 'route,configuration,revision,poddisruptionbudget,configmap';
  await expect.poll(() => on.names(kinds), { timeout: 60_000 }).toBe(''); // owned objects are deleted later
});

async function killAt({ version, model, when, sign }: Stage) {
  await on.declare({ variables: { VERSION: version }, more: { entity_version: model } });
  let killed = false;
  const ran = await on.davitHeard(['up', on.endpoint], (text, pid) => {
    if (killed || !sign.test(text)) return;
    killed = true;
    killProcessTree(pid);
  });
  process.stderr.write(`killed when ${when}: ${String(killed)}\n${ran.code === null ? '' : ran.stderr}`);
  return { killed, ...ran };
}
