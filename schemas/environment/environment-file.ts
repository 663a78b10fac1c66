import { z } from 'zod';
import { kubernetesFields } from './kubernetes-environment-file.ts';
import { policyFile } from './policy.ts';
import { registryFile } from './model-registry.ts';

const MAX_SECONDS = 86_400;

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, 'expected 1 to 31 lowercase letters, digits or "-"')
  .describe('Name of the environment, and of this file');
const seconds = z.number().positive('expected more than 0').max(MAX_SECONDS, `expected ${MAX_SECONDS} (a day) or less`);

const autoscaling = z
  .strictObject({
    idle_seconds: seconds
      .optional()
      .describe('Seconds without a request after which an entity with scale_to_zero_enabled stops; default 1800'),
    scale_down_seconds: seconds
      .optional()
      .describe('Seconds of lower traffic after which one replica is removed; default 300'),
  })
  .optional()
  .describe('When replicas stop');

export const localEnvironmentFile = z.strictObject({
  name,
  target: z.literal('local').describe('Target of the environment: this machine'),
  gateway: z
    .strictObject({
      port: z
        .int()
        .min(1, 'expected 1 to 65535')
        .max(65535, 'expected 1 to 65535')
        .optional()
        .describe('Port on 127.0.0.1; default: a free port, chosen once'),
    })
    .optional()
    .describe('The server that clients send requests to'),
  autoscaling,
  registry: registryFile,
  policy: policyFile,
});

export const kubernetesEnvironmentFile = z.strictObject({
  name,
  target: z.literal('kubernetes').describe('Target of the environment: Knative Serving on Kubernetes'),
  ...kubernetesFields,
  autoscaling,
  registry: registryFile,
  policy: policyFile,
});

/** The fields of an environment file. */
export const environmentFile = z.discriminatedUnion(
  'target',
  [localEnvironmentFile, kubernetesEnvironmentFile],
  'expected local or kubernetes',
);

export type EnvironmentFile = z.infer<typeof environmentFile>;

export type LocalEnvironmentFile = z.infer<typeof localEnvironmentFile>;

export type KubernetesEnvironmentFile = z.infer<typeof kubernetesEnvironmentFile>;
