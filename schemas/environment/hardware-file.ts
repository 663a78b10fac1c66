import { z } from 'zod';
import { WORKLOAD_TYPES, type WorkloadType } from '../endpoint/workload.ts';
import { parseQuantity } from '../values/quantity.ts';
import { makePatternSchema, makeTextSchema } from '../values/text-shape.ts';

const DAY_SECONDS = 86_400;
const QUANTITY = 'expected a Kubernetes quantity, such as 500m, 2 or 4Gi';

export const wholeSeconds = z
  .int()
  .min(1, 'expected 1 or more')
  .max(DAY_SECONDS, `expected ${DAY_SECONDS} (a day) or less`);

/** A Kubernetes quantity. Accepts a plain number too, because people write numbers without quotes. */
export const quantity = z.union([
  makeTextSchema(QUANTITY, (text) => (parseQuantity(text) === undefined ? { message: QUANTITY } : undefined)),
  z.number().min(0, 'expected 0 or more').transform(String),
]);

const processors = z.union([
  makePatternSchema('expected a number of CPUs, such as 500m or 2', /^(?!0*(\.0*)?m?$)(\d+m|\d+(\.\d{1,3})?)$/),
  z.number().min(0.001, 'expected more than 0').max(4096, 'expected 4096 or less').transform(String),
]);

/** Requires a unit, because a plain number would mean bytes, which nobody intends. */
const memory = makePatternSchema(
  'expected memory with a unit, such as 4Gi',
  /^(?!0*(\.0*)?[A-Z])\d+(\.\d{1,3})?([KMGTP]i|[kMGTP])$/,
);

const toleration = z
  .strictObject({
    key: z.string().min(1, 'expected a key').optional().describe('Key of the taint; default: every key'),
    operator: z.enum(['Exists', 'Equal']).optional().describe('How the value is compared; default Equal'),
    value: z.string().optional().describe('Value of the taint'),
    effect: z
      .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
      .optional()
      .describe('Effect of the taint; default: every effect'),
  })
  .refine(({ operator, value }) => operator !== 'Exists' || value === undefined, {
    error: 'Cannot use a value together with the operator Exists: expected one or the other',
    params: { code: 'conflicting-fields' },
  })
  .refine(({ operator, key }) => operator === 'Exists' || key !== undefined, {
    error: 'Cannot match a taint: expected a key, or the operator Exists for all taints',
    params: { code: 'missing-field' },
  });

const gpu = z.strictObject({
  resource: z
    .string()
    .regex(/^[a-z0-9.-]+\/[a-z0-9._-]+$/, 'expected an extended resource, such as nvidia.com/gpu')
    .optional()
    .describe('The extended resource; default nvidia.com/gpu'),
  count: z.int().min(1, 'expected 1 or more').describe('GPUs of one replica'),
  model: z.string().optional().describe('Text for display: 1 × T4, 16 GB'),
});

const hardware = z
  .strictObject({
    per: z
      .enum(['unit', 'replica'])
      .optional()
      .describe(
        'Whether cpu and memory are for one unit of concurrency or for one replica; default: that of the workload type',
      ),
    cpu: processors.optional().describe('CPU request; default: that of the workload type'),
    memory: memory.optional().describe('Memory request and limit; default: that of the workload type'),
    temporary_storage: memory
      .optional()
      .describe('Limit of the files in /tmp of one replica; a replica with more is replaced; default 10Gi'),
    gpu: gpu.nullable().optional().describe('GPUs of one replica; null: none; default: that of the workload type'),
    node_selector: z
      .record(z.string(), z.string())
      .optional()
      .describe('Labels that a node must have; default: that of the workload type'),
    tolerations: z
      .array(toleration)
      .optional()
      .describe('Taints of nodes to tolerate; default: that of the workload type'),
    deployment_seconds: wholeSeconds
      .optional()
      .describe('Seconds until a revision must be ready; default: that of the workload type'),
    cold_start_seconds: wholeSeconds
      .optional()
      .describe('Maximum seconds that a request waits for a replica to start; default: that of the workload type'),
  })
  // The id makes the generated JSON schema define this object once, not once per workload type.
  .meta({ id: 'hardware' });

export type HardwareFile = z.infer<typeof hardware>;

const hardwareByType = Object.fromEntries(
  WORKLOAD_TYPES.map((type) => [
    type,
    hardware
      .nullable()
      .optional()
      .describe('Fields that override the defaults of the type; null: unavailable; default: see Sizes'),
  ]),
) as Record<WorkloadType, z.ZodOptional<z.ZodNullable<typeof hardware>>>;

/** The hardware of each workload type in an environment. */
export const hardwareTable = z.strictObject(hardwareByType);
