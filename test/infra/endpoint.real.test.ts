import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openPulumiFolder, PROGRAM_SERVER, type PulumiProject } from '../../engine/pulumi-project.ts';
import { destroyStack, previewStack, type RunOptions, upStack } from '../../engine/run-pulumi.ts';
import { serveProviderToEngine } from '../../pulumi-provider/provider-server.ts';
import { makeEndpointProject } from './endpoint-project.ts';
import { makeStubProvider } from './stub/stub-provider.ts';

const STACK = 'iris.here';

describe('the program, with the real engine', () => {
  test('makes revisions before it switches the route, and deletes the old ones last', async () => {
    const { root, declare } = await makeEndpointProject();
    const { project } = await openDoors(root);
    await declare({ one: { version: 1, percentage: 100 } });
    const made = await upStack(project, STACK);
    expect(made).toMatchObject({ status: 'succeeded', plan: { verdict: { kind: 'create' } } });
    const first = revisionsOf(made.outputs);
    expect(made.outputs).toMatchObject({
      url: 'http://127.0.0.1/iris',
      revisions: { one: expect.stringMatching(/^one-/) as string },
    });
    expect(await journal(root)).toEqual(['create one', 'route one=100']);

    await declare({ one: { version: 2, percentage: 90 }, two: { version: 3, percentage: 10 } });
    const planned = await previewStack(project, STACK);
    const revisions = revisionsOf(planned.outputs);
    const fresh = planned.plan.resources.filter((r) => r.operation === 'create').map((r) => r.name);
    expect(new Set(fresh)).toEqual(new Set([revisions['one'], revisions['two']]));
    expect(planned.plan.verdict).toMatchObject({
      kind: 'rolling-update',
      words: `rolling update: ${first['one'] ?? ''} → ${fresh.join(', ')}`,
    });
    expect(await upStack(project, STACK)).toMatchObject({ status: 'succeeded', outputs: planned.outputs });
    const steps = (await journal(root)).slice(2);
    expect([steps.slice(0, 2).sort(), steps.slice(2)]).toEqual([
      ['create one', 'create two'],
      ['route one=90 two=10', 'delete one'],
    ]);
  });

  test('changes bounds in place, and nothing else', async () => {
    const { root, declare } = await makeEndpointProject();
    const { project } = await openDoors(root);
    await declare({ one: { version: 1, percentage: 100, max: 4 } });
    await upStack(project, STACK);
    await declare({ one: { version: 1, percentage: 100, max: 8 } });
    const { plan } = await upStack(project, STACK);
    expect(plan.verdict).toMatchObject({
      kind: 'update-in-place',
      words: expect.stringMatching(/\(bounds\.max\)$/) as string,
    });
    expect((await journal(root)).slice(2)).toEqual(['update one {"max":8,"min":1,"scaleToZero":false}']);
  });

  test('leaves the route and the old revision alone when a new one fails; the next update goes on', async () => {
    const { root, declare } = await makeEndpointProject();
    const { project } = await openDoors(root);
    await declare({ one: { version: 1, percentage: 100 } });
    await upStack(project, STACK);
    await declare({ one: { version: 1, percentage: 100, environmentVars: { BREAK: 'yes' } } });
    const failed = await upStack(project, STACK);
    expect(failed.status).toBe('failed');
    expect(failed.failures.map((f) => [f.resource?.type, f.message])).toEqual([
      ['davit:local:Revision', 'Cannot start it: it breaks'],
    ]);
    expect((await journal(root)).slice(2)).toEqual(['create one']);

    await declare({ one: { version: 2, percentage: 100 } });
    expect(await upStack(project, STACK)).toMatchObject({ status: 'succeeded' });
    expect((await journal(root)).slice(3)).toEqual(['create one', 'route one=100', 'delete one']);
    expect(await destroyStack(project, STACK)).toMatchObject({ status: 'succeeded' });
    expect((await journal(root)).slice(6)).toEqual(['delete route', 'delete one']);
  });

  test('ends with everything that is wrong with the files, each on its line', async () => {
    const { root, write, declare } = await makeEndpointProject();
    const { project } = await openDoors(root);
    await declare({ one: { version: 1, percentage: 100 } });
    await rm(join(root, 'endpoints/iris.lock'));
    await write('environments/here.yaml', 'name: here\ntarget: moon\n');
    const { status, failures } = await previewStack(project, STACK);
    expect([status, failures.length, failures[0]?.resource]).toEqual(['failed', 1, undefined]);
    const lines = failures[0]?.message.split('\n').filter((line) => !line.startsWith(' ')) ?? [];
    expect(lines.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'Cannot deploy "iris.here":',
      'endpoints/iris.lock:1:1 error lock-missing',
      'environments/here.yaml:2:9 error bad-value',
    ]);
  });
});

test('the program is the same where pulumi starts it as where Davit does: results, failures and progress', async () => {
  const { root, declare, write } = await makeEndpointProject();
  const { project, plain } = await openDoors(root);
  const both = async (run: typeof previewStack, stack = STACK) => {
    const here = await listen(project, (options) => run(project, stack, options));
    expect(here).toEqual(await listen(plain, (options) => run(plain, stack, options)));
    return here.outcome;
  };
  await declare({ one: { version: 1, percentage: 100 } });
  expect(await both(previewStack)).toMatchObject({ status: 'succeeded', plan: { verdict: { kind: 'create' } } });
  expect(await upStack(plain, STACK)).toMatchObject({ status: 'succeeded' });
  expect(await both(upStack)).toMatchObject({ plan: { verdict: { kind: 'no-change' } } });
  await declare({ one: { version: 1, percentage: 100, environmentVars: { BREAK: 'yes' } } });
  expect((await both(upStack)).failures).toMatchObject([{ message: 'Cannot start it: it breaks' }]);
  await write('environments/here.yaml', 'name: here\ntarget: moon\n');
  expect((await both(upStack)).failures).toMatchObject([{ message: expect.stringContaining('moon') as string }]);
});

/** The same project twice: its program and its provider run in this process, or in those that the engine starts. */
async function openDoors(root: string) {
  const plain = await openPulumiFolder(root);
  const provider = await serveProviderToEngine(makeStubProvider);
  onTestFinished(provider.close);
  const environment = { ...plain.environment, PULUMI_DEBUG_PROVIDERS: `davit:${provider.port}` };
  return { plain, project: { ...plain, environment, programServer: PROGRAM_SERVER } };
}

async function listen<T>(project: PulumiProject, run: (options: RunOptions) => Promise<T>) {
  const lines: string[] = [];
  const outcome = await run({ progress: { say: (line) => lines.push(line) } });
  return { outcome, lines };
}

function revisionsOf(outputs: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return outputs['revisions'] as Readonly<Record<string, string>>;
}

async function journal(root: string): Promise<readonly string[]> {
  return (await readFile(join(root, 'journal.txt'), 'utf8')).trim().split('\n');
}
