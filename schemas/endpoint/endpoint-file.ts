import { z } from 'zod';
import type { IssueParams } from '../yaml/render-issue.ts';
import { parseSecretReference } from '../values/secret-reference.ts';
import { PERMISSION_LEVELS } from '../deployment/serving-entry.ts';
import { WORKER_MODES } from './worker-mode.ts';

/** Databricks' rule, but the first character cannot be "-" (an option) or "_" (Davit's own stacks). */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
const NAME_RULE = 'expected 1 to 63 letters, digits, "-" or "_", beginning with a letter or digit';

export const WORKLOAD_SIZES = { Small: [4, 4], Medium: [8, 16], Large: [16, 64] } as const;
export const WORKLOAD_TYPES = [
  'CPU',
  'CPU_MEDIUM',
  'CPU_LARGE',
  'GPU_SMALL',
  'GPU_MEDIUM',
  'GPU_MEDIUM_4',
  'GPU_MEDIUM_8',
  'MULTIGPU_MEDIUM',
  'GPU_LARGE',
  'GPU_LARGE_2',
  'GPU_LARGE_4',
  'GPU_LARGE_8',
  'GPU_XLARGE',
  'GPU_XLARGE_8',
] as const;
const MAX_ENTITIES = 15;
const MAX_ENVIRONMENT_VARS = 30;
export const DEFAULT_TIME_LIMIT_SECONDS = 120;

/** Refuses a Databricks field that Davit would otherwise ignore silently. `why` ends the message. */
function unsupported(why: string, hint = 'Remove it') {
  const params: IssueParams = { code: 'unsupported-field', hint, key: true };
  return z
    .unknown()
    .optional()
    .refine((value) => value === undefined, { error: why, params: { ...params } })
    .meta({ description: `Not honoured: ${why}`, not: {} });
}

/** Databricks writes these fields into every response, so every exported endpoint contains them. */
const writtenByDatabricks = unsupported('Databricks writes it, nobody sets it');

const percentage = z.union([
  z.int().min(0, 'expected 0 to 100').max(100, 'expected 0 to 100'),
  z.string().regex(/^(100|\d\d?)$/, 'expected 0 to 100'),
]);
const version = z.union([z.string().min(1, 'expected a version'), z.int()]);
const concurrency = z.int().min(0, 'expected 0 or more').max(1024, 'expected 1024 or less');
const role = /^arn:aws[a-z-]*:iam::\d{12}:(instance-profile|role)\/[\w+=,.@/-]+$/;

/** A Databricks rate limit. `tokens` applies only to language models. */
const rateLimit = z.strictObject({
  calls: z.int().min(0, 'expected 0 or more').describe('Calls within the renewal period; 0: none'),
  key: z
    .enum(['endpoint', 'user', 'user_group', 'service_principal'])
    .optional()
    .describe('Whose calls are counted together; default endpoint'),
  principal: z.string().min(1, 'expected a name').optional().describe('Only this one; default: each one for itself'),
  renewal_period: z.literal('minute').describe('How long calls count'),
  tokens: unsupported('tokens are those of language models', 'Write calls'),
});

const permission = z.strictObject({
  user_name: z.string().min(1, 'expected a name').optional().describe('One user'),
  group_name: z
    .string()
    .min(1, 'expected a name')
    .optional()
    .describe('One group; users: everybody with a valid token'),
  service_principal_name: z.string().min(1, 'expected a name').optional().describe('One service principal'),
  permission_level: z.enum(PERMISSION_LEVELS).describe('CAN_VIEW, CAN_QUERY or CAN_MANAGE'),
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
    .describe('Registered model: `iris` or `catalog.schema.iris`'),
  entity_version: version.describe('Version of the registered model'),
  workload_type: z.enum(WORKLOAD_TYPES).optional().describe('Hardware; default CPU'),
  workload_size: z
    .enum(Object.keys(WORKLOAD_SIZES) as [keyof typeof WORKLOAD_SIZES])
    .optional()
    .describe('Small = 4, Medium = 8 to 16, Large = 16 to 64 requests at a time; default Small'),
  min_provisioned_concurrency: concurrency.optional().describe('Requests at a time that are always provided for'),
  max_provisioned_concurrency: concurrency
    .min(1, 'expected 1 or more')
    .optional()
    .describe('Requests at a time that are provided for at most'),
  scale_to_zero_enabled: z
    .boolean()
    .optional()
    .describe('Whether an idle entity may stop; the next request then waits for it; default false'),
  environment_vars: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable'),
      z.string().refine((v) => !/\{\{\s*secrets/.test(v) || parseSecretReference(v) !== undefined, {
        params: { hint: 'A secret is the whole value: its scope and key are letters, digits, "-", "_" and "."' },
        error: 'expected {{secrets/SCOPE/KEY}} and nothing beside it, or a plain value',
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
    .describe('AWS role that the model has; on EKS, through its service account'),
  external_model: unsupported('external models are not custom models'),
  min_provisioned_throughput: unsupported('provisioned throughput is for foundation models'),
  max_provisioned_throughput: unsupported('provisioned throughput is for foundation models'),
  provisioned_model_units: unsupported('provisioned throughput is for foundation models'),
  burst_scaling_enabled: unsupported(
    'an entity never gets more than max_provisioned_concurrency',
    'Raise max_provisioned_concurrency',
  ),
  creator: writtenByDatabricks,
  creation_timestamp: writtenByDatabricks,
  foundation_model: writtenByDatabricks,
  state: writtenByDatabricks,
});

const route = z.strictObject({
  served_entity_name: z.string().optional().describe('A served entity of this endpoint'),
  served_model_name: z.string().optional().describe('Older word for served_entity_name'),
  traffic_percentage: percentage.describe('Share of the requests, 0 to 100; all routes together 100'),
});

const davitEntity = z.strictObject({
  model_uri: z
    .string()
    .min(1, 'expected a path or URI')
    .optional()
    .describe(
      'Where the model is: a directory, `models:/…`, `runs:/…` or another URI of MLflow; default: models/ENTITY_NAME/ENTITY_VERSION',
    ),
  requirements: z
    .strictObject({
      add: z
        .array(z.string())
        .optional()
        .describe('Requirements to add, or to put in place of the one of the same name'),
      remove: z.array(z.string()).optional().describe('Names of requirements to leave out'),
    })
    .optional()
    .describe("Edits of the model's requirements, without logging it again"),
  time_limit_seconds: z
    .number()
    .positive('expected more than 0')
    .max(3600, 'expected 3600 or less')
    .optional()
    .describe(`Seconds one prediction may take; default ${DEFAULT_TIME_LIMIT_SECONDS}`),
  workers: z
    .enum(WORKER_MODES)
    .optional()
    .describe(
      'shared: the model is loaded once and workers are forks of it; separate: each worker loads it; one: one worker a replica; default: shared where nothing that a fork would share is found in the loaded model, else separate',
    ),
  // YAML parses an unquoted `null` as the null value, not as text.
  nan: z
    .enum(['error', 'null'])
    .nullable()
    .optional()
    .describe('What NaN and infinities in an answer become: an error, or null; default error'),
});

/** The endpoint file: the body of a Databricks "create serving endpoint" request, plus the key `davit`. */
export const endpointFile = z.strictObject({
  name: z
    .string()
    .regex(NAME, NAME_RULE)
    .refine((n) => !n.toLowerCase().startsWith('databricks-'), 'the prefix "databricks-" is reserved')
    .describe('Name of the endpoint, and of this file'),
  description: z.string().optional().describe('What the endpoint is for'),
  tags: z
    .array(z.strictObject({ key: z.string().min(1, 'expected a key'), value: z.string().optional() }))
    .optional()
    .describe('Labels of the endpoint'),
  config: z.strictObject({
    name: z.string().optional().describe('The name once more, as clients of Databricks send it'),
    served_entities: z
      .array(servedEntity)
      .min(1, 'expected at least one served entity')
      .max(MAX_ENTITIES, `expected at most ${MAX_ENTITIES} served entities`)
      .describe('The model versions behind this endpoint'),
    traffic_config: z
      .strictObject({ routes: z.array(route).min(1, 'expected at least one route') })
      .optional()
      .describe('Which share of the requests goes where; default: all to the only entity'),
    served_models: unsupported('it is an older word', 'Write served_entities, with entity_name and entity_version'),
    auto_capture_config: unsupported('inference tables come later'),
    config_version: writtenByDatabricks,
  }),
  route_optimized: z.boolean().optional().describe('The shortest way to a replica while one is up; default false'),
  ai_gateway: z
    .strictObject({
      rate_limits: z.array(rateLimit).optional().describe('How often the endpoint may be queried'),
      inference_table_config: unsupported('inference tables come later'),
      usage_tracking_config: unsupported('it is about tables of Databricks'),
      guardrails: unsupported('guardrails are for language models'),
      fallback_config: unsupported('fallbacks are for external models'),
    })
    .optional(),
  rate_limits: z.array(rateLimit).optional().describe('Older place of ai_gateway.rate_limits'),
  budget_policy_id: unsupported('it is about the billing of Databricks'),
  email_notifications: unsupported('notifications come with the pull request'),
  telemetry_config: unsupported('it is about tables of Databricks'),
  uc_system_metrics_export_state: unsupported('it is about tables of Databricks'),
  usage_policy_id: unsupported('it is about the billing of Databricks'),
  creation_timestamp: writtenByDatabricks,
  creator: writtenByDatabricks,
  data_plane_info: writtenByDatabricks,
  endpoint_url: writtenByDatabricks,
  id: writtenByDatabricks,
  last_updated_timestamp: writtenByDatabricks,
  pending_config: writtenByDatabricks,
  permission_level: writtenByDatabricks,
  state: writtenByDatabricks,
  task: writtenByDatabricks,
  davit: z
    .strictObject({
      served_entities: z.record(z.string(), davitEntity).optional().describe('By name of the served entity'),
      permissions: z
        .array(permission)
        .optional()
        .describe("Who may do what, as in Databricks' access control lists; default: who the cluster's RBAC lets"),
      rollout: z
        .enum(['rolling', 'recreate'])
        .optional()
        .describe('recreate: the old version ends before the new one starts, with downtime; default rolling'),
    })
    .optional()
    .describe('What Databricks does not have'),
});

export type EndpointFile = z.infer<typeof endpointFile>;

/** Returns the entity's name, or its default: `catalog.schema.iris`, version 8 → `iris-8`. */
export function entityName(served: {
  readonly name?: string | undefined;
  readonly entity_name: string;
  readonly entity_version: string | number;
}): string {
  return served.name ?? `${served.entity_name.split('.').at(-1) ?? ''}-${served.entity_version}`;
}
