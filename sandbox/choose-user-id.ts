import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The user of the model server's images. */
export const IMAGE_USER_ID = 65_532;
/** Ids that neither people nor systemd use: https://systemd.io/UIDS-GIDS. */
const [FIRST, LAST] = [0x7000_0000, 0x7fff_fff0];

/**
 * Chooses the user of one program that root starts. The kernel counts processes, pipes and keys for each user, so two
 * programs of the same one would share these limits. A container may have no such ids; then all have the same one.
 */
export function chooseUserId(maps: readonly string[] = readMaps()): number {
  return maps.every(hasIds) ? randomInt(FIRST, LAST) : IMAGE_USER_ID;
}

function readMaps(): readonly string[] {
  return ['uid_map', 'gid_map'].map((name) => {
    try {
      return readFileSync(`/proc/self/${name}`, 'utf8');
    } catch {
      return '';
    }
  });
}

/** A line of a map: the first id here, the first id outside, the number of ids. */
function hasIds(map: string): boolean {
  return map.split('\n').some((line) => {
    const [first = NaN, , count = NaN] = line.trim().split(/\s+/).map(Number);
    return first <= FIRST && first + count > LAST;
  });
}
