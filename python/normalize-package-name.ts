/** PEP 503: `Scikit_Learn` → `scikit-learn`. */
export function normalizePackageName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}
