import type { Lock } from '../schemas/lock/lock.ts';
import { contentHash } from '../schemas/values/names.ts';
import type { Fingerprint } from '../schemas/report/report.ts';

/** Enough to tell parts apart; the whole fingerprint is never shortened. */
const PART_CHARACTERS = 16;
const SHOWN_CHARACTERS = 12;

export interface FingerprintInputs {
  readonly lock: Lock;
  /** SHA-256 of the Pulumi program. */
  readonly program: string;
  /** For each resource that will exist: the rest of its URN → SHA-256 of its inputs. */
  readonly resources: Readonly<Record<string, string>>;
}

/**
 * A digest of everything that deploying an endpoint in an environment would make. It does not depend on what is
 * deployed now.
 */
export function makeFingerprint({ lock, program, resources }: FingerprintInputs): Fingerprint {
  const whole = { lock: contentHash(lock), program, ...resources };
  const parts = Object.entries(whole).map(([name, hash]) => [name, hash.slice(0, PART_CHARACTERS)] as const);
  return { digest: contentHash(whole), parts: Object.fromEntries(parts) };
}

/**
 * The differences between the reviewed plan and the current one, each as part of a sentence: `the lock differs`,
 * `Revision iris-2-3f9c2a71d0 is new`. Empty: they are the same. Without parts, only the fact that something differs is
 * known.
 */
export function compareFingerprints(reviewed: Fingerprint, now: Fingerprint): readonly string[] {
  if (reviewed.digest === now.digest) return [];
  const [before, after] = [new Map(Object.entries(reviewed.parts)), new Map(Object.entries(now.parts))];
  if (before.size === 0 || after.size === 0) return ['something differs'];
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const differences = names.flatMap((name) => {
    if (before.get(name) === after.get(name)) return [];
    const how = !before.has(name) ? 'is new' : !after.has(name) ? 'is gone' : 'differs';
    return [`${describePart(name)} ${how}`];
  });
  return differences.length > 0 ? differences : ['something differs'];
}

/** The first characters of a fingerprint, for display. */
export function shortenFingerprint({ digest }: Fingerprint): string {
  return digest.slice(0, SHOWN_CHARACTERS);
}

/** `Revision iris-2-3f9c2a71d0` of `davit:index:Endpoint$davit:local:Revision::iris-2-3f9c2a71d0`. */
function describePart(name: string): string {
  const [type = '', ...rest] = name.split('::');
  if (rest.length === 0) return `the ${type}`;
  return `${type.split(/[:$]/).at(-1) ?? type} ${rest.join('::')}`;
}
