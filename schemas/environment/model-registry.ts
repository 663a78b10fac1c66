import { z } from 'zod';

/** `databricks`, `databricks-uc://PROFILE`, `uc:HOST`, `https://HOST/PATH`; without user, query and fragment. */
const REGISTRY = /^(?:databricks(?:-uc)?(?::\/\/[\w.-]+)?|uc:(?:https?:\/\/)?[\w.-]+(?::\d+)?|https?:\/\/[\w.-]+(?::\d+)?(?:\/[\w./-]*)?)$/; // prettier-ignore

export const registryFile = z
  .strictObject({
    uri: z
      .string()
      .regex(REGISTRY, 'expected https://HOST, databricks, databricks-uc or uc:HOST')
      .describe(
        'Address of an MLflow server, databricks (workspace), databricks-uc (Unity Catalog of Databricks) or uc:HOST (open source Unity Catalog)',
      ),
  })
  .optional()
  .describe(
    'Registry of the models that are not in models/; default: MLFLOW_REGISTRY_URI, else MLFLOW_TRACKING_URI. Credentials go only to the addresses of these two variables and to DATABRICKS_HOST',
  );

/** The registry that an environment file names. */
export interface EnvironmentRegistry {
  readonly uri: string;
  /** `environments/production.yaml` */
  readonly file: string;
}
