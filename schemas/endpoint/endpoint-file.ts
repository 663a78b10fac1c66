import { z } from 'zod';
import { looksLikeSecret, parseSecretReference, SECRET_HINT } from '../values/secret-reference.ts';
import {
  databricksOutputField,
  makeDeprecatedField,
  makeUnsupportedFeature,
  makeUnsupportedField,
} from './refused-fields.ts';
import { changeFields } from './change-fields.ts';
import { refuseModelUri, refuseWrongAlias } from './model-reference.ts';
import { permission } from './permission-file.ts';
import { requirementFields } from './requirement-fields.ts';
import { validationFile } from './validation-file.ts';
import { WORKER_MODES } from './worker-mode.ts';
import { WORKLOAD_SIZES, WORKLOAD_TYPES } from './workload.ts';

/** Databricks' rule, but the first character cannot be "-" (an option) or "_" (Davit's own stacks). */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
const NAME_RULE = 'expected 1 to 63 letters, digits, "-" or "_", beginning with a letter or digit';

const MAX_ENTITIES = 15;
const MAX_ENVIRONMENT_VARS = 30;
export const DEFAULT_TIME_LIMIT_SECONDS = 120;

const percentage = z.union([
  z.int().min(0, 'expected 0 to 100').max(100, 'expected 0 to 100'),
  z.string().regex(/^(100|\d\d?)$/, 'expected 0 to 100'),
]);
const version = z.union([z.string().min(1, 'expected a version').superRefine(refuseWrongAlias), z.int()]);
const concurrency = z.int().min(0, 'expected 0 or more').max(1024, 'expected 1024 or less');
const tagKey = z
  .string()
  .min(1, 'expected a key')
  .regex(/^[^:]*$/, 'Databricks allows no ":", expected a key without it')
  .describe('Name of the label');
const role = /^arn:aws[a-z-]*:iam::\d{12}:(instance-profile|role)\/[\w+=,.@/-]+$/;

/** A Databricks rate limit. `tokens` applies only to language models. */
const rateLimit = z.strictObject({
  calls: z.int().min(0, 'expected 0 or more').describe('Maximum number of calls within the renewal period; 0: none'),
  key: z
    .enum(['endpoint', 'user', 'user_group', 'service_principal'])
    .optional()
    .describe('What the limit applies to; default endpoint'),
  principal: z
    .string()
    .min(1, 'expected a name')
    .optional()
    .describe('Limits only this principal; default: each principal separately'),
  renewal_period: z.literal('minute').describe('Length of the renewal period'),
  tokens: makeUnsupportedField('token limits apply only to language models', { hint: 'Write calls' }),
});

const servedEntity = z.strictObject({
  name: z
    .string()
    .regex(NAME, NAME_RULE)
    .optional()
    .describe('Name of the served entity; default: ENTITY_NAME-ENTITY_VERSION'),
  entity_name: z
    .string()
    .min(1, 'expected the name of a registered model')
    .superRefine(refuseModelUri)
    .describe('Registered model: `iris` or `catalog.schema.iris`'),
  entity_version: version.describe(
    'Version of the registered model: a number, or an alias such as `@champion`, whose version the lock holds',
  ),
  workload_type: z.enum(WORKLOAD_TYPES).optional().describe('Hardware; default CPU'),
  workload_size: z
    .enum(Object.keys(WORKLOAD_SIZES) as [keyof typeof WORKLOAD_SIZES])
    .optional()
    .describe('Small = 4, Medium = 8 to 16, Large = 16 to 64 concurrent requests; default Small'),
  min_provisioned_concurrency: concurrency
    .optional()
    .describe('Concurrent requests for which capacity is always provided; default: that of the workload size'),
  max_provisioned_concurrency: concurrency
    .min(1, 'expected 1 or more')
    .optional()
    .describe('Maximum concurrent requests for which capacity is provided; default: that of the workload size'),
  scale_to_zero_enabled: z
    .boolean()
    .optional()
    .describe('Whether an idle entity may scale to zero; the next request waits until it has started; default false'),
  environment_vars: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable'),
      z
        .string()
        .refine((v) => !v.includes('\0'), 'no program can have the character NUL in its environment, expected text')
        .refine((v) => !looksLikeSecret(v) || parseSecretReference(v) !== undefined, {
          params: { hint: SECRET_HINT },
          error: 'expected {{secrets/SCOPE/KEY}} alone, or a plain value',
        }),
    )
    .refine(
      (vars) => Object.keys(vars).length <= MAX_ENVIRONMENT_VARS,
      `expected at most ${MAX_ENVIRONMENT_VARS} variables`,
    )
    .optional()
    .describe('Environment variables of the model; {{secrets/scope/key}} is the value of a secret'),
  instance_profile_arn: z
    .string()
    .regex(role, 'expected arn:aws:iam::ACCOUNT:instance-profile/NAME or …:role/NAME')
    .optional()
    .describe('AWS role of the model; on EKS, assigned through its service account'),
  external_model: makeUnsupportedField('external models are not custom models', {
    insteadOf: ['entity_name', 'entity_version'],
  }),
  min_provisioned_throughput: makeUnsupportedField('provisioned throughput is for foundation models'),
  max_provisioned_throughput: makeUnsupportedField('provisioned throughput is for foundation models'),
  provisioned_model_units: makeUnsupportedField('provisioned throughput is for foundation models'),
  burst_scaling_enabled: makeUnsupportedField('an entity never gets more than max_provisioned_concurrency', {
    hint: 'Raise max_provisioned_concurrency',
  }),
  model_name: makeDeprecatedField('model_name', 'entity_name'),
  model_version: makeDeprecatedField('model_version', 'entity_version'),
  creator: databricksOutputField,
  creation_timestamp: databricksOutputField,
  dbus: databricksOutputField,
  foundation_model: databricksOutputField,
  max_dbus: databricksOutputField,
  min_dbus: databricksOutputField,
  state: databricksOutputField,
});

const route = z.strictObject({
  served_entity_name: z.string().optional().describe('A served entity of this endpoint'),
  served_model_name: z.string().optional().describe('Deprecated name of served_entity_name'),
  traffic_percentage: percentage.describe('Share of the requests, 0 to 100; the sum over all routes is 100'),
});

const davitEntity = z.strictObject({
  model_uri: z
    .string()
    .min(1, 'expected a path or URI')
    .optional()
    .describe(
      'Location of the model: a directory, `models:/…`, `runs:/…`, `oci://…` or another URI of MLflow; default: the directory models/ENTITY_NAME/ENTITY_VERSION, else the registry',
    ),
  ...requirementFields,
  time_limit_seconds: z
    .number()
    .positive('expected more than 0')
    .max(3600, 'expected 3600 or less')
    .optional()
    .describe(`Maximum seconds for one prediction; default ${DEFAULT_TIME_LIMIT_SECONDS}`),
  workers: z
    .enum(WORKER_MODES)
    .optional()
    .describe(
      'shared: one process loads the model, and the workers are forks of it; separate: each worker loads the model; one: one worker for each replica; default: shared if the loaded model holds nothing that forks must not share, else separate',
    ),
  // YAML parses an unquoted `null` as the null value, not as text.
  nan: z
    .enum(['error', 'null'])
    .nullable()
    .optional()
    .describe('How to return NaN and infinities: as an error or as null; default error'),
  validation: validationFile
    .optional()
    .describe(
      "What the model predicts in its proof and before it serves; default: the model's input example, else an input made from its signature",
    ),
});

/** The endpoint file: the body of a Databricks "create serving endpoint" request, plus the key `davit`. */
export const endpointFile = z.strictObject({
  name: z
    .string()
    .regex(NAME, NAME_RULE)
    .refine((n) => !n.toLowerCase().startsWith('databricks-'), 'the prefix "databricks-" is reserved')
    .describe('Name of the endpoint, and of this file'),
  description: z.string().optional().describe('Purpose of the endpoint'),
  tags: z
    .array(z.strictObject({ key: tagKey, value: z.string().optional().describe('Value of the label') }))
    .optional()
    .describe('Labels of the endpoint'),
  config: z
    .strictObject({
      name: z.string().optional().describe('The same name again, as Databricks clients send it'),
      served_entities: z
        .array(servedEntity)
        .min(1, 'expected at least one served entity')
        .max(MAX_ENTITIES, `expected at most ${MAX_ENTITIES} served entities`)
        .describe('The model versions behind this endpoint'),
      traffic_config: z
        .strictObject({
          routes: z.array(route).min(1, 'expected at least one route').describe('The shares of the served entities'),
        })
        .optional()
        .describe('How requests are split between entities; default: all to the only entity'),
      served_models: makeDeprecatedField('served_models', 'served_entities'),
      auto_capture_config: makeUnsupportedFeature('inference tables are not supported yet'),
      config_version: databricksOutputField,
      start_time: databricksOutputField,
    })
    .describe('What the endpoint serves'),
  route_optimized: z
    .boolean()
    .optional()
    .describe('Whether requests bypass the activator while a replica is running; default false'),
  ai_gateway: z
    .strictObject({
      rate_limits: z.array(rateLimit).optional().describe('Rate limits of the endpoint'),
      inference_table_config: makeUnsupportedFeature('inference tables are not supported yet'),
      usage_tracking_config: makeUnsupportedFeature('it concerns Databricks tables'),
      guardrails: makeUnsupportedField('guardrails are for language models'),
      fallback_config: makeUnsupportedFeature('fallbacks are for external models'),
    })
    .optional()
    .describe('What is checked before a request reaches the model'),
  rate_limits: z.array(rateLimit).optional().describe('Deprecated location of ai_gateway.rate_limits'),
  budget_policy_id: makeUnsupportedField('it concerns Databricks billing'),
  email_notifications: makeUnsupportedField('GitHub sends notifications for the pull request'),
  telemetry_config: makeUnsupportedField('it concerns Databricks tables'),
  uc_system_metrics_export_state: makeUnsupportedField('it concerns Databricks tables'),
  usage_policy_id: makeUnsupportedField('it concerns Databricks billing'),
  creation_timestamp: databricksOutputField,
  creator: databricksOutputField,
  creator_display_name: databricksOutputField,
  creator_kind: databricksOutputField,
  data_plane_info: databricksOutputField,
  effective_budget_policy_id: databricksOutputField,
  endpoint_url: databricksOutputField,
  id: databricksOutputField,
  last_updated_timestamp: databricksOutputField,
  pending_config: databricksOutputField,
  permission_level: databricksOutputField,
  resource_credential_strategy: databricksOutputField,
  state: databricksOutputField,
  task: databricksOutputField,
  davit: z
    .strictObject({
      served_entities: z.record(z.string(), davitEntity).optional().describe('Settings by name of the served entity'),
      permissions: z
        .array(permission)
        .optional()
        .describe("Permissions, as in Databricks' access control lists; default: those of the cluster's RBAC"),
      ...changeFields,
    })
    .optional()
    .describe('Settings that Databricks does not have'),
});

export type EndpointFile = z.infer<typeof endpointFile>;

/** Returns the entity's name, or its default: `catalog.schema.iris`, version 8 → `iris-8`; `@champion` → `iris-champion`. */
export function entityName(served: {
  readonly name?: string | undefined;
  readonly entity_name: string;
  readonly entity_version: string | number;
}): string {
  const version = String(served.entity_version).replace(/^@/, '');
  return served.name ?? `${served.entity_name.split('.').at(-1) ?? ''}-${version}`;
}
