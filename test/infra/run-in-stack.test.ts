import { setTimeout as sleep } from 'node:timers/promises';
import * as pulumi from '@pulumi/pulumi';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { runInStack } from '../../infra/run-in-stack.ts';
import { type FakeEngine, startFakeEngine } from './fake-engine.ts';

class Thing extends pulumi.CustomResource {
  constructor(name: string, inputs: pulumi.Inputs = {}) {
    super('test:index:Thing', name, inputs);
  }
}

const NEVER = new AbortController().signal;
type Listener = (e: unknown, promise: Promise<unknown>) => void;

/** The test runner reports every rejection that nobody handles, also one that a run has handled. */
beforeEach(() => {
  const runners = process.listeners('unhandledRejection').filter((listener) => !isOurs(listener));
  for (const listener of runners) process.off('unhandledRejection', listener);
  onTestFinished(() => void runners.map((listener) => process.on('unhandledRejection', listener)));
});

test('runs at the same time are kept apart, also in failures that only an output has', async () => {
  const [broken, sound] = await Promise.all([startFakeEngine('broken'), startFakeEngine('sound')]);
  const started = Promise.withResolvers<undefined>();
  const ends = await Promise.all([
    runInStack(broken.request, NEVER, async () => {
      const thing = new Thing('a');
      thing.id.apply(async () => {
        await started.promise; // while both run
        throw new pulumi.RunError('it breaks');
      });
      await sleep(0);
      return { stack: pulumi.getStack() };
    }),
    runInStack(sound.request, NEVER, async () => {
      started.resolve(undefined);
      await sleep(50);
      new Thing('b');
      return { stack: pulumi.getStack() };
    }),
  ]);
  expect(ends).toEqual(['failed', 'succeeded']);
  expect(summarize(broken)).toEqual({ errors: ['it breaks'], registered: ['test-broken', 'a'], complete: false });
  expect(summarize(sound)).toEqual({ errors: [], registered: ['test-sound', 'b'], complete: true });
});

test('an error of the program is reported once, a fault with where it was', async () => {
  const engine = await startFakeEngine('s');
  expect(await runInStack(engine.request, NEVER, () => Promise.reject(new pulumi.RunError('Cannot deploy "s"')))).toBe(
    'failed',
  );
  expect(engine.errors).toEqual(['Cannot deploy "s"']);

  const other = await startFakeEngine('s');
  expect(await runInStack(other.request, NEVER, () => Promise.reject(new TypeError('x is no function')))).toBe(
    'failed',
  );
  expect(other.errors).toHaveLength(1);
  expect(other.errors[0]).toMatch(
    /^Running program '\S+index\.ts' failed with an unhandled exception:\nTypeError: x is no function\n.*run-in-stack\.test/,
  );
});

test('a resource whose input fails fails the run, though no output needs it', async () => {
  const engine = await startFakeEngine('s');
  const end = await runInStack(engine.request, NEVER, () => {
    new Thing('a', { input: Promise.reject(new pulumi.RunError('no input')) });
    return Promise.resolve({});
  });
  expect([end, engine.isComplete()]).toEqual(['failed', false]);
  expect(engine.errors).toEqual(['error serializing property "input": no input']);
});

test('a stopped run ends at once; what it did then fails is not reported', async () => {
  const engine = await startFakeEngine('s');
  const stop = new AbortController();
  const failed = Promise.withResolvers<undefined>();
  const ended = runInStack(engine.request, stop.signal, async () => {
    stop.abort();
    await failed.promise;
    throw new Error('late');
  });
  expect(await ended).toBe('stopped');
  failed.resolve(undefined);
  await sleep(20);
  expect(summarize(engine)).toMatchObject({ errors: [], complete: false });
});

test('an error arrives also after a stopped run that went on logging', async () => {
  const [engine, other] = [await startFakeEngine('s'), await startFakeEngine('other')];
  const [stop, ended] = [new AbortController(), Promise.withResolvers<undefined>()];
  const logged = Promise.withResolvers<undefined>();
  await runInStack(engine.request, stop.signal, async () => {
    stop.abort();
    await ended.promise;
    await pulumi.log.info('late');
    logged.resolve(undefined);
    return {};
  });
  ended.resolve(undefined);
  await logged.promise;
  await runInStack(other.request, NEVER, () => Promise.reject(new pulumi.RunError('it breaks')));
  expect(other.errors).toEqual(['it breaks']);
});

test('a rejection outside of every run stays a fault of Davit', async () => {
  const engine = await startFakeEngine('s');
  await runInStack(engine.request, NEVER, () => Promise.resolve({}));
  const [listener] = process.listeners('unhandledRejection').filter(isOurs);
  expect(process.listeners('unhandledRejection')).toHaveLength(1);
  expect(() => listener?.(new Error('of Davit'), Promise.resolve())).toThrow('of Davit');
});

function isOurs(listener: Listener): boolean {
  return listener.name === 'reportFault';
}

function summarize({ errors, registered, isComplete }: FakeEngine) {
  return { errors, registered, complete: isComplete() };
}
