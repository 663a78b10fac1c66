/** Whether a dotted numeric version is at least another one. */
export function isVersionAtLeast(version: string, minimum: string): boolean {
  const [a, b] = [version, minimum].map((v) => v.split('.').map(Number)) as [number[], number[]];
  const i = b.findIndex((part, at) => part !== (a[at] ?? 0));
  return i < 0 || (a[i] ?? 0) > (b[i] ?? 0);
}
