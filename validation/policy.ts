import {
  DEFAULT_POLICY,
  type FindingPolicy,
  type Policy,
  POLICY_SEVERITIES,
  type PolicySeverity,
  VULNERABILITY_POLICIES,
  type VulnerabilityPolicy,
} from '../schemas/environment/policy.ts';
import { parseNetworkAddress, renderNetworkAddress } from '../schemas/values/network-address.ts';
import type { ModelProblem } from './subject.ts';

/** The severity of each kind of finding, with every default filled in. */
export interface ResolvedPolicy {
  readonly missingExample: PolicySeverity;
  readonly missingSignature: PolicySeverity;
  readonly unpinnedRequirement: PolicySeverity;
  readonly defaultsChannel: PolicySeverity;
  readonly missingModule: PolicySeverity;
  readonly builtPackage: PolicySeverity;
  readonly pickles: PolicySeverity;
  /** Undefined: nobody asks for a check, so a missing database is no finding. */
  readonly vulnerabilities: VulnerabilityPolicy | undefined;
  readonly showPredictions: boolean;
  /** The services that every environment lets models reach in their proofs: `api.example.com:443`. */
  readonly network: readonly string[];
}

/** Stands for an input, an answer or the text of an exception. */
export const HIDDEN_PREDICTION = 'not shown, because the policy hides inputs and predictions';

/** What may change against the version that the base branch declares, and what a report may show of it. */
export interface ComparisonPolicy {
  /** Between 0 and 1. Undefined: any share. */
  readonly maxChanged: number | undefined;
  readonly tolerance: number;
  readonly showPredictions: boolean;
}

/** Joins the policies of the environments: the strictest counts. */
export function resolveComparisonPolicy(environments: readonly Policy[]): ComparisonPolicy {
  const shares = environments.flatMap((e) => (e.max_changed === undefined ? [] : [parseFloat(e.max_changed) / 100]));
  return {
    maxChanged: shares.length === 0 ? undefined : Math.min(...shares),
    tolerance: environments.length === 0 ? 0 : Math.min(...environments.map((e) => e.prediction_tolerance ?? 0)),
    showPredictions: environments.every((e) => e.show_predictions !== false),
  };
}

const DEFAULT_SEVERITY = 'warning';
const PICKLES_VARIABLE = 'DAVIT_PICKLES';
const ADVISORIES_VARIABLE = 'DAVIT_ADVISORIES';

/**
 * Joins the policies of the environments that a model is for, and of Davit's own environment variables: the strictest
 * counts. A kind of finding that an environment does not name has the default there. Throws for a wrong variable.
 */
export function resolvePolicy(
  environments: readonly Policy[] = [],
  variables: NodeJS.ProcessEnv = process.env,
): ResolvedPolicy {
  const severity = (field: FindingPolicy, variable?: PolicySeverity) =>
    findStrictest(
      POLICY_SEVERITIES,
      environments.map((e) => e[field] ?? DEFAULT_POLICY[field]),
      variable,
    ) ?? DEFAULT_POLICY[field];
  const pickles = readVariable(PICKLES_VARIABLE, ['warning', 'error'] as const, variables);
  const advisories = readVariable(ADVISORIES_VARIABLE, VULNERABILITY_VARIABLES, variables);
  const vulnerabilities = environments.map((e) => e.vulnerabilities);
  return {
    missingExample: severity('missing_example'),
    missingSignature: severity('missing_signature'),
    unpinnedRequirement: severity('unpinned_requirement'),
    defaultsChannel: severity('defaults_channel'),
    missingModule: severity('missing_module'),
    builtPackage: severity('built_package'),
    pickles: severity('pickles', pickles),
    vulnerabilities: findStrictest(VULNERABILITY_POLICIES, vulnerabilities, advisories),
    showPredictions: resolveComparisonPolicy(environments).showPredictions,
    network: resolveNetwork(environments),
  };
}

/** One proof is for all environments, so each of them must allow a service. */
function resolveNetwork(environments: readonly Policy[]): readonly string[] {
  const [first = [], ...others] = environments.map(({ network = [] }) =>
    network.flatMap((text) => parseNetworkAddress(text) ?? []).map(renderNetworkAddress),
  );
  return first.filter((address) => others.every((list) => list.includes(address)));
}

/** The words of DAVIT_ADVISORIES, in the order of its error message. */
const VULNERABILITY_VARIABLES = ['warning', 'error', 'low', 'moderate', 'high', 'critical'] as const;

/** The strictest word, where an absent word of an environment is the default. Undefined: the default. */
function findStrictest<T extends string>(
  order: readonly T[],
  environments: readonly (T | undefined)[],
  variable: T | undefined,
): T | undefined {
  const all = variable === undefined ? environments : [...environments, variable];
  const rank = (word: string | undefined) => order.findIndex((w) => w === (word ?? DEFAULT_SEVERITY));
  const highest = Math.max(...all.map(rank));
  return all.find((word) => word !== undefined && rank(word) === highest);
}

function readVariable<T extends string>(
  variable: string,
  expected: readonly T[],
  variables: NodeJS.ProcessEnv,
): T | undefined {
  const word = variables[variable] ?? '';
  if (word === '') return undefined;
  const found = expected.find((w) => w === word);
  if (found !== undefined) return found;
  const known = expected.length === 2 ? expected.join(' or ') : expected.join(', ');
  throw new Error(`Cannot use ${variable}: it is ${JSON.stringify(word.slice(0, 40))}, expected ${known}`);
}

/** Gives a problem the severity of the policy; none if the policy ignores it. */
export function applyPolicy(
  severity: PolicySeverity,
  problem: Omit<ModelProblem, 'severity'>,
): readonly ModelProblem[] {
  return severity === 'ignore' ? [] : [{ ...problem, severity }];
}
