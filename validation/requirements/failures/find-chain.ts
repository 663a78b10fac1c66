import { normalizePackageName } from '../../../python/normalize-package-name.ts';
import type { ProcessResult } from '../../../system/run-process.ts';
import type { Requirement } from '../parse-requirements.ts';

/** Resolves lines with uv. `sources` are packages to take as source distributions, without reading what they require. */
export type CompileRequirements = (
  lines: readonly string[],
  more?: readonly string[],
  sources?: readonly string[],
) => Promise<ProcessResult>;

/** One step from a model's requirement to a package: `num2words==0.5.10` needs `docopt>=0.6.2`. */
interface Dependency {
  readonly parent: string;
  readonly child: string;
}

/** The requirement of the model that brings a package, and the steps to it. */
export interface Chain {
  readonly requirement: Requirement;
  readonly steps: readonly Dependency[];
}

/** More requirements than this are not resolved one by one. */
const MAX_ATTEMPTS = 60;

/**
 * Finds which requirement of the model brings `name`, from uv's message. uv may leave it out of a long one, so each
 * requirement is then resolved alone.
 */
export async function findChain(
  requirements: readonly Requirement[],
  name: string,
  { message, compile }: { readonly message: string; readonly compile: CompileRequirements },
): Promise<Chain | undefined> {
  const found = readChain(requirements, name, message);
  if (found) return found;
  const candidates = requirements.filter((r) => r.source === undefined && r.name !== name).slice(0, MAX_ATTEMPTS);
  for (const requirement of candidates) {
    const { code, stderr } = await compile([requirement.text]);
    if (code !== 0 && stderr.includes(name)) return readChain(requirements, name, stderr) ?? { requirement, steps: [] };
  }
  return undefined;
}

function readChain(requirements: readonly Requirement[], name: string, message: string): Chain | undefined {
  const facts = listDependencies(message);
  const steps: Dependency[] = [];
  const seen = new Set<string>();
  for (let wanted = name; !seen.has(wanted);) {
    seen.add(wanted);
    const fact = facts.find(({ child }) => parseName(child) === wanted);
    if (!fact) return undefined;
    steps.unshift(fact);
    wanted = parseName(fact.parent);
    const requirement = requirements.find((r) => r.name === wanted);
    if (requirement) return { requirement, steps };
  }
  return undefined;
}

/** What uv's message says of dependencies, in its order. */
export function listDependencies(message: string): readonly Dependency[] {
  const facts = message
    .replace(/\s+/g, ' ')
    .matchAll(
      /(?:Because|And because|and) (?:all versions of )?(\S+) depends on (.{1,300}?)(?= and |, we can conclude)/g,
    );
  return [...facts].map(([, parent = '', child = '']) => ({ parent, child: cleanSpecifier(child) }));
}

/** `numpy{python_full_version < '3.14'}>=2.0.2` → `numpy>=2.0.2` */
function cleanSpecifier(text: string): string {
  return text.replace(/\{[^{}]*\}/g, '').replace(/,$/, '');
}

/** `scikit-learn>=1` → `scikit-learn` */
export function parseName(requirement: string): string {
  return normalizePackageName(/^[A-Za-z0-9._-]*[A-Za-z0-9]/.exec(requirement)?.[0] ?? requirement);
}
