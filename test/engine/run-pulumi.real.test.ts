import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { destroyStack, previewStack, refreshStack, upStack } from '../../engine/run-pulumi.ts';
import { hasStack, isDeployed, listStacks, readStackOutputs } from '../../engine/stacks.ts';
import { makeThrowAwayProject } from './tiny-project.ts';

const STACK = 'tiny.local';

describe('with the real engine', () => {
  test('upStack() creates, updates in place, replaces and deletes; previewStack() says so before', async () => {
    const { root, folder, declare, open, openPlain } = await makeThrowAwayProject();
    const project = await open();
    await declare({ a: { content: 'one', password: 'hunter2' }, b: { content: 'two', labels: ['x'] } });

    const lines: string[] = [];
    const progress = { say: (line: string) => void lines.push(line) };
    const planned = await previewStack(project, STACK, { progress });
    expect(lines).toContain('a preview of davit');
    lines.length = 0;
    expect(planned).toMatchObject({
      status: 'succeeded',
      plan: { verdict: { kind: 'create' }, counts: { create: 2 } },
    });
    expect(existsSync(folder)).toBe(false);
    expect([await hasStack(project, STACK), await isDeployed(project, STACK)]).toEqual([true, false]);

    const made = await upStack(await openPlain(), STACK, { progress });
    expect(lines).not.toContain('a preview of davit');
    expect(made).toMatchObject({ status: 'succeeded', failures: [], plan: { counts: { create: 2 } } });
    expect(await isDeployed(project, STACK)).toBe(true);
    expect(made.outputs).toEqual({ paths: { a: join(folder, 'a.json'), b: join(folder, 'b.json') } });
    expect(await previewStack(project, STACK)).toMatchObject({ plan: { verdict: { kind: 'no-change' } } });

    await declare({ a: { content: 'other', password: 'hunter3' }, c: { content: 'three' } });
    const changed = await upStack(project, STACK);
    expect(changed.plan.counts).toEqual({ create: 1, update: 0, replace: 1, delete: 1, same: 0 });
    expect(JSON.stringify(changed)).not.toContain('hunter');
    expect(changed.plan.resources.find((r) => r.name === 'a')?.differences).toEqual([
      { path: 'content', change: 'update', replaces: true, old: 'one', new: 'other' },
      { path: 'password', change: 'update', replaces: false, old: '[secret]', new: '[secret]' },
    ]);
    expect(await readStackOutputs(project, STACK)).toEqual(changed.outputs);

    expect(await destroyStack(project, STACK)).toMatchObject({ status: 'succeeded', plan: { counts: { delete: 2 } } });
    expect([await hasStack(project, STACK), await listStacks(project)]).toEqual([false, []]);
    const left = await readdir(join(root, '.davit'), { recursive: true });
    expect(left.filter((path) => path.includes(STACK))).toEqual([]);
    expect(await readStackOutputs(project, STACK)).toBeUndefined();
    expect(await destroyStack(project, STACK)).toMatchObject({ status: 'succeeded' });
  });

  test('upStack() says which resource fails and why, and keeps one that is there but not ready', async () => {
    const { folder, declare, open } = await makeThrowAwayProject();
    const project = await open();
    await declare({ bad: { content: 'x', behave: 'refuse' }, late: { content: 'y', behave: 'unready' } });

    const failed = await upStack(project, STACK);
    expect(failed.status).toBe('failed');
    const listed = failed.failures.map((f) => ({ name: f.resource?.name, type: f.resource?.type, message: f.message }));
    expect(listed.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))).toEqual([
      { name: 'bad', type: 'davit:tiny:Thing', message: 'Cannot make it: it does not want to' },
      { name: 'late', type: 'davit:tiny:Thing', message: 'it does not become ready' },
    ]);
    expect([existsSync(join(folder, 'bad.json')), existsSync(join(folder, 'late.json'))]).toEqual([false, true]);

    await declare({ late: { content: 'y' } });
    expect(await upStack(project, STACK)).toMatchObject({ status: 'succeeded', plan: { counts: { update: 1 } } });
  });

  test('previewStack() reports what check() refuses, on the resource', async () => {
    const { declare, open } = await makeThrowAwayProject();
    const project = await open();
    await declare({ a: { content: '' } });
    const { status, failures } = await previewStack(project, STACK);
    expect({ status, failures: failures.map((f) => [f.resource?.name, f.message]) }).toEqual({
      status: 'failed',
      failures: [['a', 'content: Cannot be empty']],
    });
  });

  test('refreshStack() sees what was changed and removed by hand, and the next update mends it', async () => {
    const { folder, declare, open } = await makeThrowAwayProject();
    const project = await open();
    await declare({ a: { content: 'one', size: 1 }, b: { content: 'two' } });
    await upStack(project, STACK);
    await writeFile(join(folder, 'a.json'), JSON.stringify({ folder, content: 'one', size: 7 }));
    await rm(join(folder, 'b.json'));

    expect(await refreshStack(project, STACK)).toMatchObject({ status: 'succeeded' });
    const { plan } = await upStack(project, STACK);
    expect(plan.counts).toEqual({ create: 1, update: 1, replace: 0, delete: 0, same: 0 });
    expect(JSON.parse(await readFile(join(folder, 'a.json'), 'utf8'))).toMatchObject({ size: 1 });
  });
});
