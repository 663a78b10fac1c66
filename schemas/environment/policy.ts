import { z } from 'zod';

/** From the mildest to the strictest. */
export const POLICY_SEVERITIES = ['ignore', 'warning', 'error'] as const;
export type PolicySeverity = (typeof POLICY_SEVERITIES)[number];

/** From the mildest to the strictest: a level makes vulnerabilities from this level on errors. `error` means `low`. */
export const VULNERABILITY_POLICIES = ['ignore', 'warning', 'critical', 'high', 'moderate', 'low', 'error'] as const;
export type VulnerabilityPolicy = (typeof VULNERABILITY_POLICIES)[number];

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
    pickles: severity.describe(
      'A pickle that imports more than the packages and the code of its model; default warning',
    ),
    vulnerabilities: z
      .enum(VULNERABILITY_POLICIES)
      .optional()
      .describe(
        'Known vulnerabilities of the locked packages; low, moderate, high or critical: from this level on an error; default warning, from a database that davit audit has downloaded',
      ),
  })
  .optional()
  .describe('How severe each finding is in this environment: error, warning or ignore');

/** The policy of an environment as it is written. */
export type Policy = NonNullable<z.infer<typeof policyFile>>;

/** Vulnerabilities have no default: they are warnings where a database of advisories is in the cache. */
export const DEFAULT_POLICY: Readonly<Record<keyof Policy, PolicySeverity | undefined>> = {
  missing_example: 'warning',
  missing_signature: 'warning',
  unpinned_requirement: 'warning',
  defaults_channel: 'warning',
  missing_module: 'error',
  pickles: 'warning',
  vulnerabilities: undefined,
};
