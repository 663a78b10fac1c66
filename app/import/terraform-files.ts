/** Whether a file has a part of Terraform's configuration, by its name. */
export function isTerraform(name: string): boolean {
  return /\.tf(?:\.json)?$/.test(name);
}
