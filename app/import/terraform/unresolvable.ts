/** An expression whose value only Terraform or Databricks knows. The message says why. */
export class Unresolvable extends Error {}
