import { z } from 'zod';
import { makeNetworkAddressList } from '../values/network-address.ts';

/** From the mildest to the strictest. */
export const POLICY_SEVERITIES = ['ignore', 'warning', 'error'] as const;
export type PolicySeverity = (typeof POLICY_SEVERITIES)[number];

/** From the mildest to the strictest: a level makes vulnerabilities from this level on errors. `error` means `low`. */
export const VULNERABILITY_POLICIES = ['ignore', 'warning', 'critical', 'high', 'moderate', 'low', 'error'] as const;
export type VulnerabilityPolicy = (typeof VULNERABILITY_POLICIES)[number];

/** `5%`, `0.5%` */
const SHARE = /^(?:100(?:\.0{1,6})?|\d{1,2}(?:\.\d{1,6})?)%$/;

const MAX_NETWORK_ADDRESSES = 100;

const severity = z.enum(POLICY_SEVERITIES).optional();

/** What an environment requires of the models that are deployed to it. */
export const policyFile = z
  .strictObject({
    missing_example: severity.describe(
      'A model without input example, and without validation in its endpoint file; default warning',
    ),
    missing_signature: severity.describe('A model without signature; default warning'),
    unpinned_requirement: severity.describe('A requirement without an exact version; default warning'),
    defaults_channel: severity.describe("A model that names Anaconda's channel, such as `defaults`; default warning"),
    missing_module: severity.describe(
      'An import that certainly runs when the model is loaded, and that no locked package provides; default error',
    ),
    built_package: severity.describe(
      'A package whose wheel Davit builds from its source distribution (`build_wheels`); default warning',
    ),
    pickles: severity.describe(
      'A pickle that imports more than the packages and the code of its model; default warning',
    ),
    vulnerabilities: z
      .enum(VULNERABILITY_POLICIES)
      .optional()
      .describe(
        'Known vulnerabilities of the locked packages; low, moderate, high or critical: from this level on an error; default warning, from a database that davit audit has downloaded',
      ),
    max_changed: z
      .string()
      .regex(SHARE, 'expected a share of the rows, such as 5%')
      .optional()
      .describe(
        'Share of the compared predictions that a new version may change, such as 5%; more is an error in a review; default: any share',
      ),
    prediction_tolerance: z
      .number()
      .min(0, 'expected 0 or more')
      .optional()
      .describe('Numbers in the predictions of two versions are equal if they differ by no more; default 0'),
    show_predictions: z
      .boolean()
      .optional()
      .describe('Whether comments and reports of reviews may contain inputs and predictions; default true'),
    network: makeNetworkAddressList(MAX_NETWORK_ADDRESSES)
      .optional()
      .describe(
        'Services that models may reach in their proofs, where `validation.network` of the endpoint file names them: `api.example.com:443`; default: none',
      ),
  })
  .optional()
  .describe('How severe each finding is in this environment: error, warning or ignore');

/** The policy of an environment as it is written. */
export type Policy = NonNullable<z.infer<typeof policyFile>>;

/** The findings that are only an error, a warning or nothing. */
export type FindingPolicy = Exclude<keyof Policy, 'vulnerabilities' | 'network' | (typeof COMPARISON_POLICY)[number]>;

/** The fields about the comparison with the version that the base branch declares. */
export const COMPARISON_POLICY = ['max_changed', 'prediction_tolerance', 'show_predictions'] as const;

/** Stands for a policy that cannot be read. */
export const STRICTEST_POLICY: Required<Policy> = {
  missing_example: 'error',
  missing_signature: 'error',
  unpinned_requirement: 'error',
  defaults_channel: 'error',
  missing_module: 'error',
  built_package: 'error',
  pickles: 'error',
  vulnerabilities: 'error',
  max_changed: '0%',
  prediction_tolerance: 0,
  show_predictions: false,
  network: [],
};

/** Vulnerabilities have no default: they are warnings where a database of advisories is in the cache. */
export const DEFAULT_POLICY: Readonly<Record<FindingPolicy, PolicySeverity>> &
  Readonly<Record<keyof Policy, string | number | boolean | readonly string[] | undefined>> = {
  missing_example: 'warning',
  missing_signature: 'warning',
  unpinned_requirement: 'warning',
  defaults_channel: 'warning',
  missing_module: 'error',
  built_package: 'warning',
  pickles: 'warning',
  vulnerabilities: undefined,
  max_changed: undefined,
  prediction_tolerance: 0,
  show_predictions: true,
  network: [],
};
