import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from '../../system/send-signal.ts';
import { makeRandom, pickRandom } from './random.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

/** Something that can be killed, by its kind: `supervisor`, `worker`. */
export interface Victim {
  readonly kind: string;
  /** The name for the log. */
  readonly name: string;
  readonly kill: () => void | Promise<void>;
}

/** A process to be killed with SIGKILL, so that it cannot react. */
export function makeProcessVictim(kind: string, pid: number): Victim {
  return { kind, name: `${kind} ${pid}`, kill: () => sendSignal(pid, 'SIGKILL') };
}

export interface KillTarget {
  /** Starts the work that each round interrupts; resolves when it has ended in any way. */
  readonly begin: (round: number) => Promise<unknown>;
  /** Everything that can be killed now. */
  readonly findVictims: () => Promise<readonly Victim[]>;
  /** Fails unless everything has recovered. */
  readonly check: (killed: readonly string[], round: number) => Promise<void>;
}

export interface KillOptions {
  readonly rounds: number;
  readonly seed: number;
  /** The seconds over which the kills of a round are spread. */
  readonly seconds: number;
}

const MAX_KILLS = 4;

/** The options of a test: `DAVIT_KILL_ROUNDS` and `DAVIT_KILL_SEED`, else a few rounds with a new seed. */
export function readKillOptions(rounds: number, seconds: number): KillOptions {
  const { DAVIT_KILL_ROUNDS: many, DAVIT_KILL_SEED: seed } = process.env;
  return { rounds: Number(many ?? rounds), seed: Number(seed ?? Date.now() % 1_000_000), seconds };
}

/**
 * In each round, kills victims at random moments while work is running, then checks the result. Prints the seed and
 * each kill, so that a failure can be repeated; the moments of another run are never quite the same.
 */
export async function runKillRounds(target: KillTarget, { rounds, seed, seconds }: KillOptions): Promise<void> {
  const random = makeRandom(seed);
  for (let round = 1; round <= rounds; round++) {
    const kinds: string[] = [];
    const names: string[] = [];
    const under = target.begin(round);
    const moments = Array.from({ length: 1 + Math.floor(random() * MAX_KILLS) }, () => random() * seconds * 1000);
    const started = performance.now();
    for (const moment of moments.sort((a, b) => a - b)) {
      await sleep(Math.max(0, moment - (performance.now() - started)));
      const victims = await target.findVictims();
      // Choose the kind first, because otherwise nearly all victims would be workers.
      const kind = pickRandom(random, [...new Set(victims.map((v) => v.kind))].sort());
      const victim = pickRandom(
        random,
        victims.filter((v) => v.kind === kind),
      );
      await victim.kill();
      kinds.push(kind);
      names.push(`${victim.name} at ${(moment / 1000).toFixed(1)} s`);
    }
    await under;
    const what = `seed ${seed}, round ${round} of ${rounds}: killed ${names.join(', ')}`;
    process.stderr.write(`${what}\n`);
    try {
      await target.check(kinds, round);
    } catch (e) {
      throw new Error(`${what}: ${readErrorMessage(e)}`, { cause: e });
    }
  }
}
