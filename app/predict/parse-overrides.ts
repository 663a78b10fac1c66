import { InvalidParameterError } from '../invalid-parameter.ts';
import { normalizePackageName } from '../../python/normalize-package-name.ts';
import { readTestedMlflowVersion } from './tested-mlflow.ts';

/** Where a requirement begins: a letter or digit. `<2` in `numpy>=1,<2` begins none. */
const BEGINS = /^[A-Za-z0-9./]/;

/**
 * Splits requirements at commas, but not inside of brackets and quotes, and not between version clauses:
 * `numpy>=1,<2, uvicorn[standard]==0.30` are two.
 */
export function splitRequirements(text: string): readonly string[] {
  const parts: string[] = [];
  for (const piece of splitAtCommas(text).map((part) => part.trim())) {
    if (piece === '') continue;
    if (parts.length > 0 && !BEGINS.test(piece)) parts.push(`${parts.pop() ?? ''},${piece}`);
    else parts.push(piece);
  }
  return parts;
}

function splitAtCommas(text: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  let quote = '';
  for (const character of text) {
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if ('[('.includes(character)) depth += 1;
    else if ('])'.includes(character)) depth -= 1;
    if (character === ',' && depth === 0 && quote === '') parts.push('');
    else parts.push(`${parts.pop() ?? ''}${character}`);
  }
  return parts;
}

/** Mlflow requires the other two in its own version, so all three change together. */
const MLFLOW_PACKAGES = ['mlflow', 'mlflow-skinny', 'mlflow-tracing'];

/** The requirements to add to a model's own. MLflow installs its own version last, so that wins. */
export async function listAddedRequirements(
  overrides: readonly string[],
  installMlflow: boolean,
): Promise<readonly string[]> {
  for (const override of overrides)
    if (override.trim() === '')
      throw new InvalidParameterError('Cannot use an empty requirement override: expected NAME==VERSION');
  if (!installMlflow) return overrides;
  const version = await readTestedMlflowVersion();
  const others = overrides.filter((line) => !MLFLOW_PACKAGES.includes(readName(line)));
  return [...others, ...MLFLOW_PACKAGES.map((name) => `${name}==${version}`)];
}

function readName(requirement: string): string {
  return normalizePackageName(/^[A-Za-z0-9._-]*/.exec(requirement.trim())?.[0] ?? '');
}
