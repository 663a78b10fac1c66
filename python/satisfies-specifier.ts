import { compareVersions, parseVersion } from './compare-versions.ts';

const CLAUSE = /^(===|~=|==|!=|<=|>=|<|>)\s*v?(\S+?)(\.\*)?$/;

/** Whether a version is in a specifier such as `>=2,<3` (PEP 440). Undefined: one of them cannot be read. */
export function satisfiesSpecifier(version: string, specifier: string): boolean | undefined {
  const clauses = specifier.split(',').map((clause) => clause.trim());
  const found = clauses.filter((clause) => clause !== '').map((clause) => satisfiesClause(version, clause));
  if (found.includes(false)) return false;
  return found.includes(undefined) ? undefined : true;
}

function satisfiesClause(version: string, clause: string): boolean | undefined {
  const [, operator = '', text = '', star] = CLAUSE.exec(clause) ?? [];
  const [parsed, bound] = [parseVersion(version), parseVersion(text)];
  if (operator === '===') return version === text;
  if (!parsed || !bound) return undefined;
  const order = compareVersions(parsed, bound);
  const length = bound.release.length;
  switch (operator) {
    case '==':
      return star === undefined ? order === 0 : startsWith(parsed.release, bound.release, length);
    case '!=':
      return star === undefined ? order !== 0 : !startsWith(parsed.release, bound.release, length);
    case '~=':
      return order >= 0 && startsWith(parsed.release, bound.release, length - 1);
    case '<=':
      return order <= 0;
    case '>=':
      return order >= 0;
    case '<':
      return order < 0;
    case '>':
      return order > 0;
    default:
      return undefined;
  }
}

/** Whether the first numbers of two releases are the same. A number that is left out is 0. */
function startsWith(release: readonly number[], other: readonly number[], length: number): boolean {
  return Array.from({ length }, (_, i) => i).every((i) => (release[i] ?? 0) === (other[i] ?? 0));
}
